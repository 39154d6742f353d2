"""Reads tasks.csv, a line for each task that ended (docs/metrics.md), and picks what a picture of them shows."""
import csv
import math
import statistics
from typing import NamedTuple

import metrics
from metrics import MetricsError

OUTCOMES = ("counted", "late", "released", "abandoned", "refused", "lost")
PHASES = ("down_seconds", "compute_seconds", "up_seconds")
TEXTS = ("class", "outcome")
NUMBERS = ("round", "client", "sent", "began", "ended", *PHASES)
FEW_ROUNDS = 3  # that are shown where there are so many, however many clients they have
TASKS_OF_A_ROW = 4  # about as many are easy to read


class Task(NamedTuple):
    round: int  # that was in progress when it ended
    client: int
    device_class: str  # "" without a fleet
    sent: float  # virtual seconds from the run's beginning, as are the next two
    began: float  # when its client came by for it
    ended: float
    outcome: str
    phases: tuple  # seconds of download, training and upload

    def bars(self):
        """(beginning, end) of each phase, cut off where the task ended."""
        begins = [self.began, self.began + self.phases[0], self.began + self.phases[0] + self.phases[1]]
        return [(min(begin, self.ended), min(begin + length, self.ended))
                for begin, length in zip(begins, self.phases)]


class Window(NamedTuple):
    """The rounds from `first` to `last`; begin and end in virtual seconds."""
    first: int
    last: int
    begin: float
    end: float

    def has(self, task):
        """Whether anything of the task can be seen."""
        blur = 1e-4 * (self.end - self.begin)  # what the files' rounding makes of tasks that only touch
        inside = self.begin <= task.sent and task.ended <= self.end
        return inside or min(task.ended, self.end) - max(task.sent, self.begin) > blur


def read_tasks(folder):
    """All tasks of a run, in the order in which they ended; MetricsError where there are none to read."""
    file = folder / "tasks.csv"
    try:
        text = file.read_bytes().decode()
    except FileNotFoundError:
        raise MetricsError(f"{file}: no such file; anybit-sim writes it where devices take time, a server never: give "
                           "the scenario a fleet (docs/scenario.md), and run it with anybit-sim") from None
    except (OSError, UnicodeDecodeError) as error:
        raise MetricsError(f"{file}: {metrics.reason(error)}") from None
    lines = text.split("\n")[:-1]  # a last line without its end was being written
    rows = list(csv.reader(lines))
    header = rows[0] if rows else []
    missing = [name for name in (*NUMBERS, *TEXTS) if name not in header]
    if missing:
        raise MetricsError(f"{file}:1: the header lacks {', '.join(missing)}")
    if len(rows) > 1 and len(rows[-1]) < len(header):
        rows.pop()  # cut off, too
    return [_task(file, number, header, row) for number, row in enumerate(rows[1:], start=2)]


def _number(name, text):
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or value < 0:
        raise ValueError(f"{name} is '{text}', but must be a number from 0 on")
    return value


def _task(file, number, header, row):
    try:
        if len(row) != len(header):
            raise ValueError(f"{len(row)} fields, but the header has {len(header)}")
        told = dict(zip(header, row))
        values = {name: _number(name, told[name]) for name in NUMBERS}
        for name in ("round", "client"):
            if not told[name].isdecimal():
                raise ValueError(f"{name} is '{told[name]}', but must be a whole number")
        if told["outcome"] not in OUTCOMES:
            raise ValueError(f"outcome is '{told['outcome']}', but must be one of {', '.join(OUTCOMES)}")
        if not values["sent"] <= values["began"] <= values["ended"]:
            raise ValueError(f"began at {told['began']}, but was sent at {told['sent']} and ended at {told['ended']}")
        return Task(int(told["round"]), int(told["client"]), told["class"],
                    *(values[name] for name in ("sent", "began", "ended")), told["outcome"],
                    tuple(values[name] for name in PHASES))
    except ValueError as error:
        raise MetricsError(f"{file}:{number}: {error}") from None


def round_ends(file, records):
    """{round: virtual seconds} of the rounds that are over."""
    ends = {record["round"]: record["time"] for record in records if "time" in record}
    if not ends:
        raise MetricsError(f"{file}: no round has a time; tasks.csv beside it belongs to another run")
    return ends


def window_of(first, last, ends):
    return Window(first, last, ends.get(first - 1, 0), ends[last])


def asked_window(text, ends):
    """Of "A-B" or "A"; MetricsError where it names no rounds that are over."""
    first, _, last = text.partition("-")
    last = last if "-" in text else first
    if not (first.isdecimal() and last.isdecimal() and 1 <= int(first) <= int(last)):
        raise MetricsError(f"--rounds {text}: must be A-B, from round A to round B, as in 1-3")
    if int(last) not in ends or int(first) not in ends:
        raise MetricsError(f"--rounds {text}: the rounds that are over are {min(ends)} to {max(ends)}")
    return window_of(int(first), int(last), ends)


def fitting_window(tasks, ends, most_clients):
    """From the first round: as many as have no more clients than there are rows, with a few tasks in each row."""
    clients, count, window = set(), 0, None
    of_round = {}
    for task in tasks:
        of_round.setdefault(task.round, []).append(task)
    for number, last in enumerate(sorted(ends), start=1):
        clients |= {task.client for task in of_round.get(last, [])}
        count += len(of_round.get(last, []))
        if number > FEW_ROUNDS and (len(clients) > most_clients or count > TASKS_OF_A_ROW * len(clients)):
            break
        window = window_of(min(ends), last, ends)
    return window


def ordered_clients(tasks, shown):
    """[(class, client), ...]: the fastest class first, in it who is sent a task first, and of these who is done first.

    Classes are as fast as the median of their tasks, of the whole run.
    """
    took = {}
    for task in tasks:
        took.setdefault(task.device_class, []).append(task.ended - task.sent)
    speed = {name: (statistics.median(seconds), name) for name, seconds in took.items()}
    first = {}
    for task in shown:
        place = (speed[task.device_class], task.sent, task.ended, task.client)
        first[task.client] = min(place, first.get(task.client, place))
    return [(place[0][1], client) for client, place in sorted(first.items(), key=lambda item: item[1])]


def with_stragglers(rows, tasks, most):
    """Of [(class, client), ...] at most so many: whose counted update was the last of its round, and of the others
    some that are spread over all."""
    last = {}
    for task in tasks:
        if task.outcome == "counted" and task.ended >= last.get(task.round, task).ended:
            last[task.round] = task
    ended_one = {task.client for task in last.values()}
    kept = [row for row in rows if row[1] in ended_one][:most]
    kept += evenly([row for row in rows if row[1] not in ended_one], most - len(kept))
    chosen = set(kept)
    return [row for row in rows if row in chosen]


def evenly(items, most):
    """At most so many of them, spread over all."""
    if len(items) <= most:
        return items
    return [items[(2 * index + 1) * len(items) // (2 * most)] for index in range(most)]
