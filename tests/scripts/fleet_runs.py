"""Folders of runs whose devices take time, made up for the tests of pictures: log-normal speeds, drop-outs, synchronous
rounds with more clients than are waited for, and an asynchronous federation. Nothing was trained."""
import heapq
import json
import random

from fixtures import point

HEADER = ("round,client,class,sent,began,ended,outcome,version,staleness,down_seconds,compute_seconds,up_seconds,flops,"
          "bytes_down,bytes_up,energy")
# name, share of the clients, FLOP/s, bytes/s down and up, joules a FLOP
CLASSES = (("tablet", 0.25, 4e9, 4e6, 1e6, 4e-10), ("phone", 0.6, 1.5e9, 2e6, 4e5, 6e-10),
           ("watch", 0.15, 3e8, 5e5, 1e5, 2e-9))
FLOPS, BYTES, LATENCY, DROPOUT = 3e10, 1.6e6, 0.4, 0.1


class Fleet:
    def __init__(self, clients, seed, slowness=1):
        self.random = random.Random(seed)
        self.slowness = slowness
        names = [index for index, row in enumerate(CLASSES) for _ in range(round(row[1] * clients))]
        self.classes = [CLASSES[index] for index in (names + [1] * clients)[:clients]]
        self.random.shuffle(self.classes)

    def task(self, client, sent, version):
        """A task that ends as counted or lost; whoever plays the federation may change that."""
        name, _, speed, down, up, joules = self.classes[client]
        spread = [self.random.lognormvariate(0, 0.35) * self.slowness for _ in range(3)]
        seconds = [BYTES / down * spread[0], FLOPS / speed * spread[1], BYTES / up * spread[2]]
        took, outcome = sum(seconds) + LATENCY, "counted"
        if self.random.random() < DROPOUT:
            took, outcome = took * self.random.random(), "lost"
        return {"round": 0, "client": client, "class": name, "sent": sent, "began": sent, "ended": sent + took, "outcome": outcome,
                "version": version, "staleness": 0, "down_seconds": seconds[0], "compute_seconds": seconds[1],
                "up_seconds": seconds[2], "flops": FLOPS, "bytes_down": BYTES, "bytes_up": BYTES,
                "energy": joules * FLOPS}


def synchronous(fleet, rounds, cohort, more=0, deadline=None):
    """(tasks in order of ending, time of each round's end): a round is over when the cohort's updates are there."""
    tasks, ends, now = [], [], 0
    for number in range(1, rounds + 1):
        chosen = fleet.random.sample(range(len(fleet.classes)), cohort + more)
        sent = sorted((fleet.task(client, now, number - 1) for client in chosen), key=lambda task: task["ended"])
        counted = [task["ended"] for task in sent if task["outcome"] == "counted"][:cohort]
        end = min(counted[-1], now + deadline if deadline else counted[-1])
        for task in sent:
            task["round"] = number
            if task["ended"] > end:
                task["ended"], task["outcome"] = end, "late" if deadline else "released"
        tasks += sorted(sent, key=lambda task: task["ended"])
        ends.append(end)
        now = end
    return tasks, ends


def asynchronous(fleet, versions, at_once, buffer, stalest=8):
    """Whoever ends is sent a task again, but for one in five, in whose place another comes."""
    clients = list(range(len(fleet.classes)))
    fleet.random.shuffle(clients)
    going = [(task["ended"], task["client"], task) for task in (fleet.task(c, 0, 0) for c in clients[:at_once])]
    idle, tasks, ends, full = clients[at_once:], [], [], 0
    heapq.heapify(going)
    while len(ends) < versions:
        now, client, task = heapq.heappop(going)
        task["round"], task["staleness"] = len(ends) + 1, len(ends) - task["version"]
        if task["outcome"] == "counted" and task["staleness"] > stalest:
            task["outcome"] = "released"
        tasks.append(task)
        full += task["outcome"] == "counted"
        if full == buffer:
            ends.append(now)
            full = 0
        if idle and fleet.random.random() < 0.2:
            idle.append(client)
            client = idle.pop(0)
        task = fleet.task(client, now, len(ends))
        heapq.heappush(going, (task["ended"], client, task))
    return tasks, ends


def _energy(tasks):
    energy = {}
    for task in tasks:
        energy[task["class"]] = energy.get(task["class"], 0) + task["energy"]
    return energy


def _record(number, end, tasks, accuracy):
    wasted = [task for task in tasks if task["outcome"] != "counted"]
    return {"round": number, "seconds": 0.1, "bytes_down": int(BYTES * len(tasks)), "bytes_up": int(BYTES * len(tasks)),
            "clients": len(tasks) - len(wasted), "time": end, "energy": _energy(tasks), "flops": FLOPS * len(tasks),
            "wasted": {"tasks": len(wasted), "flops": FLOPS * len(wasted),
                       "energy": sum(_energy(wasted).values())},
            "participation": {"clients": 0.5, "classes": 0.9}, "accuracy": accuracy}


def accuracies(number, pace, widths=(32, 4, 2)):
    """Curves that rise as they do, the fewer bits the lower."""
    return [point(width, (0.95 - 0.25 / width) * (1 - 2.718 ** (-number / pace)) + 0.02) for width in widths]


def write_fleet_run(folder, tasks, ends, pace=6, every=1, method="mqat"):
    """A run's folder with metrics.jsonl and tasks.csv."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "scenario.toml").write_text(f'[training]\nmethod = {{ name = "{method}" }}\n'
                                         f"[federation]\nrounds = {len(ends)}\n")
    with open(folder / "metrics.jsonl", "w", encoding="utf-8") as file:
        for number, end in enumerate(ends, start=1):
            accuracy = accuracies(number, pace) if number % every == 0 or number == len(ends) else []
            record = _record(number, end, [task for task in tasks if task["round"] == number], accuracy)
            file.write(json.dumps(record) + "\n")
    write_tasks(folder, tasks)
    return folder


def write_tasks(folder, tasks):
    lines = [",".join(str(task[key]) for key in HEADER.split(",")) for task in tasks]
    (folder / "tasks.csv").write_text("".join(line + "\n" for line in [HEADER, *lines]))
