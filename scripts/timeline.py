#!/usr/bin/python3
"""Draws who did what when in a run whose devices take time: a row for each client, a bar for each task from its sending
to its end, in three shades for download, training and upload, and in a colour of its own where it did not count; lines
where rounds end. Writes PNG and SVG.
"""
import argparse
import collections
import pathlib
import sys

from matplotlib.collections import PolyCollection
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

import metrics
import picture
import tasks as tasks_file
from metrics import MetricsError

BLUE = ("#A6CBEA", "#2F7FC1", "#0B3A66")
ORANGE = ("#F8CD9B", "#E8871E", "#8C4400")
GREY = ("#D6D6D6", "#9A9A9A", "#4A4A4A")
SHADES = {"counted": BLUE, "late": ORANGE, "released": ORANGE, "abandoned": ORANGE, "refused": GREY,
          "lost": GREY}
MARKS = {"late": ">", "abandoned": "D", "refused": "s", "lost": "x"}
MEANING = {"counted": "counted", "late": "late", "released": "released: called off, for nobody waited for it",
           "abandoned": "abandoned with its round", "refused": "refused", "lost": "lost"}
PHASES = ("download", "training", "upload")
WIDTH = 10  # inches
ROW, LEAST, MOST = 0.16, 0.9, 11.0  # inches of a row; of all rows
LABELLED = 75  # rows: more have no room for each client's number
CLIENTS = 60
LETTER = 0.085  # inches of a letter of a round's label
TITLE_LETTERS = 115
MARK = "#C00000"
LINE = "#222222"


def gap_of(rows):
    """Rows that are left free between classes."""
    return max(0.7, len(rows) / 80)


def places_of(rows):
    """{client: place from the top} of [(class, client), ...], with gaps between the classes."""
    places, at, gap = {}, 0.0, gap_of(rows)
    for index, (name, client) in enumerate(rows):
        at += gap if index and rows[index - 1][0] != name else 0
        places[client] = at
        at += 1
    return places


def draw_tasks(panel, shown, places, window, factor):
    """Bars of the phases, a thin line under them from sending to end, and marks where a task did not count."""
    shapes, colours = [], []
    thickness = 0.38 if len(places) <= LABELLED else 0.5  # thin rows touch
    for task in shown:
        middle, shades = places[task.client], SHADES[task.outcome]
        spans = [(task.sent, task.ended, 0.07, shades[1])]
        spans += [(begin, end, thickness, shade) for (begin, end), shade in zip(task.bars(), shades) if end > begin]
        for begin, end, half, colour in spans:
            left, right = ((moment - window.begin) / factor for moment in (begin, end))
            top, bottom = middle - half, middle + half
            shapes.append([(left, top), (right, top), (right, bottom), (left, bottom)])
            colours.append(colour)
    panel.add_collection(PolyCollection(shapes, facecolors=colours, linewidths=0))
    marked = [task for task in shown if task.outcome in MARKS and task.ended <= window.end]
    for outcome in {task.outcome for task in marked}:
        ended = [task for task in marked if task.outcome == outcome]
        panel.plot([(task.ended - window.begin) / factor for task in ended], [places[task.client] for task in ended],
                   **look_of_mark(outcome), clip_on=False, zorder=4)


def look_of_mark(outcome):
    colour = MARK if SHADES[outcome] is GREY else ORANGE[2]
    return {"marker": MARKS[outcome], "color": colour, "linestyle": "none", "markersize": 4.5, "markeredgewidth": 1.3}


def label_rounds(panel, spans, abandoned, inches):
    """The rounds' numbers above, as many as have room. spans: {round: (left, right)}; inches: of one on the axis."""
    texts = {number: f"round {number}" + (", abandoned" if number in abandoned else "") for number in spans}
    if any(LETTER * len(text) > inches * (spans[number][1] - spans[number][0]) for number, text in texts.items()):
        texts = {number: text if number == min(spans) else str(number) for number, text in texts.items()}
    free = 0.0  # from here on nothing is written yet
    for number, text in texts.items():
        half = LETTER * len(text) / inches / 2
        middle = max(sum(spans[number]) / 2, half)
        if middle - half < free:
            continue
        panel.annotate(text, (middle, 1), (0, 3), xycoords=("data", "axes fraction"), textcoords="offset points",
                       ha="center", va="bottom", fontsize=9, color=MARK if number in abandoned else LINE)
        free = middle + half + LETTER / inches


def draw_rounds(panel, window, ends, abandoned, factor):
    """A line where each round ends; dotted where it was abandoned."""
    rounds = range(window.first, window.last + 1)
    moments = [(moment - window.begin) / factor for moment in (window.begin, *map(ends.get, rounds))]
    for number, end in zip(rounds, moments[1:]):
        panel.axvline(end, color=LINE, linewidth=0.9 if len(rounds) <= 8 else 0.6, clip_on=False, zorder=3,
                      linestyle=":" if number in abandoned else "-")
    label_rounds(panel, dict(zip(rounds, zip(moments, moments[1:]))), abandoned, WIDTH / moments[-1])


def label_rows(panel, rows, places):
    """The clients' numbers, and the classes left of them."""
    step = 1 + (len(rows) - 1) // LABELLED
    labelled = rows[::step]
    texts = [f"client {labelled[0][1]}", *(str(client) for _, client in labelled[1:])]
    panel.set_yticks([places[client] for _, client in labelled], texts)
    size = 7 if len(rows) > 12 else 9  # points
    panel.tick_params(axis="y", length=0, labelsize=size)
    beside = 12 + 0.6 * size * max(map(len, texts))
    for name in dict.fromkeys(name for name, _ in rows):
        of_class = [places[client] for own, client in rows if own == name]
        if name:
            panel.annotate(name, (0, (of_class[0] + of_class[-1]) / 2), (-beside, 0), ha="right", va="center",
                           xycoords=("axes fraction", "data"), textcoords="offset points", fontweight="bold")
        if of_class[0] > 0:
            panel.axhline(of_class[0] - 0.5 - gap_of(rows) / 2, color="#BBBBBB", linewidth=0.8, zorder=0)


def legends(panel, shown):
    """What there is of phases and, below, of outcomes."""
    phases = list(zip([Patch(color=colour) for colour in BLUE], PHASES))
    idle = [task.began - task.sent + task.ended - task.bars()[-1][1] for task in shown]
    if any(seconds > 0.01 * (task.ended - task.sent) for seconds, task in zip(idle, shown)):
        phases.append((Line2D([], [], color=BLUE[1], linewidth=1.2), "waiting, latency"))
    outcomes = []
    for outcome in (name for name in MEANING if name in {task.outcome for task in shown}):
        mark = [Line2D([], [], **look_of_mark(outcome))] if outcome in MARKS else []
        outcomes.append(((Patch(color=SHADES[outcome][1]), *mark), MEANING[outcome]))
    picture.beside(panel, *zip(*phases), "phase", "lower left")
    above = panel.get_legend()
    picture.beside(panel, *zip(*outcomes), "outcome", "upper left")
    panel.add_artist(above)  # which the second replaced
    above.set_clip_on(False)  # else it does not count as a part of the picture


def count_text(number, name):
    return f"{number} {name}" + ("" if number == 1 else "s")


def notes_of(records):
    """What else there is to say of rounds."""
    waited = sum(record.get("waited", 0) for record in records)
    abandoned = sum(1 for record in records if record.get("abandoned"))
    return ([f"{picture.amount_text(waited, picture.TIME_UNITS)} without enough clients"] if waited > 0 else []) + \
        ([f"{count_text(abandoned, 'round')} abandoned (dotted)"] if abandoned else [])


def title_of(name, window, rounds, kept, of_all):
    """What of the run the picture shows, and what it leaves out."""
    first, last = window.first, window.last
    text = f"{name}: " + (f"round {first}" if first == last else f"rounds {first} to {last}") + f" of {rounds}, "
    return text + (f"{kept} of {of_all} clients, the last of each round and others ({of_all - kept} left out)"
                   if kept < of_all else count_text(of_all, "client"))


def tally_of(tasks, window):
    """How the tasks ended that ended in the rounds, those of clients that are left out among them."""
    ended = [task for task in tasks if window.first <= task.round <= window.last]
    outcomes = collections.Counter(task.outcome for task in ended)
    return (f"{count_text(len(ended), 'task')} ended in {'it' if window.first == window.last else 'them'}: "
            + ", ".join(f"{outcomes[outcome]} {outcome}" for outcome in tasks_file.OUTCOMES if outcomes[outcome]))


def draw(folder, records, tasks, window, ends, most_clients):
    """records: of metrics.jsonl; tasks: all of the run."""
    seen = [task for task in tasks if window.has(task)]
    if not seen or window.end <= window.begin:
        raise MetricsError(f"{folder / 'tasks.csv'}: rounds {window.first} to {window.last} took no time, or no task "
                           "ended in them; ask for others (--rounds A-B)")
    clients = tasks_file.ordered_clients(tasks, seen)
    rows = tasks_file.with_stragglers(clients, seen, most_clients)
    places = places_of(rows)
    shown = [task for task in seen if task.client in places]
    factor, unit = picture.unit_for(window.end - window.begin, picture.TIME_UNITS)
    height = min(MOST, max(LEAST, ROW * (1 + max(places.values()))))
    figure, panel = picture.plt.subplots(figsize=(WIDTH, height))
    panel.set_xlim(0, (window.end - window.begin) / factor)
    panel.set_ylim(max(places.values()) + 0.7, -0.7)
    panel.grid(False, axis="y")
    draw_tasks(panel, shown, places, window, factor)
    own = [record for record in records if window.first <= record["round"] <= window.last]
    draw_rounds(panel, window, ends, {record["round"] for record in own if record.get("abandoned")}, factor)
    label_rows(panel, rows, places)
    legends(panel, shown)
    since = f" since round {window.first} began" if window.first > min(ends) else ""
    panel.set_xlabel(f"virtual time{since} ({unit})")
    lines = (title_of(folder.resolve().name, window, max(ends), len(rows), len(clients)),
             "; ".join([tally_of(tasks, window), *notes_of(own)]))
    panel.set_title("\n".join(picture.wrapped(line, TITLE_LETTERS) for line in lines), loc="left", pad=20)
    return figure


def clients_of(text):
    if not text.isdecimal() or int(text) < 1:
        raise MetricsError(f"--clients {text}: must be a whole number from 1 on")
    return int(text)


def draw_run(folder, options):
    most_clients = clients_of(options.clients)
    records = metrics.read_records(folder)
    tasks = tasks_file.read_tasks(folder)
    ends = tasks_file.round_ends(folder / "metrics.jsonl", records)
    window = tasks_file.asked_window(options.rounds, ends) if options.rounds else \
        tasks_file.fitting_window(tasks, ends, most_clients)
    out = options.out or folder
    out.mkdir(parents=True, exist_ok=True)
    with picture.plt.rc_context(picture.STYLE):
        picture.save(draw(folder, records, tasks, window, ends, most_clients), out, "timeline")


def main(arguments):
    parser = argparse.ArgumentParser(prog="timeline.py", description=__doc__)
    parser.add_argument("run", metavar="RUN_DIR", type=pathlib.Path, help="folder with metrics.jsonl and tasks.csv")
    parser.add_argument("--rounds", metavar="A-B", help="from round A to round B (default: the first that fit well)")
    parser.add_argument("--clients", metavar="N", default=str(CLIENTS),
                        help="how many clients to show at most (default: %(default)s)")
    parser.add_argument("--out", type=pathlib.Path, metavar="DIR",
                        help="where the picture goes (default: the run's folder)")
    options = parser.parse_args(arguments)
    try:
        draw_run(options.run, options)
    except MetricsError as error:
        print(f"timeline.py: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"timeline.py: cannot write {error.filename or options.out}: {metrics.reason(error)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
