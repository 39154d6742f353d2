#!/usr/bin/python3
"""Draws runs: accuracy against rounds (a panel per run, a line per width) and final accuracy against width (a line
per run, at its best range rule per width; plain FedAvg also under min-max, dashed). Writes PNG and SVG.
"""
import argparse
import collections
import dataclasses
import math
import os
import pathlib
import sys
import textwrap

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  (the backend must be chosen first)
from matplotlib.ticker import MaxNLocator  # noqa: E402

import metrics  # noqa: E402

RUN_COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#5D5D5D"]  # Okabe and Ito
RUN_MARKERS = ["o", "s", "^", "D", "v", "P", "X"]
RANGE_NAMES = {"minmax": "min-max", "mse": "MSE search", "percentile": "percentile", "learned": "learned step"}
STYLE = {
    "figure.dpi": 150,
    "font.size": 10,
    "axes.titlesize": 10.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.8,
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
    "legend.frameon": False,
    "svg.hashsalt": "anybit",
}
PANEL = (4.6, 3.4)  # inches, without what stands around it
LETTERS = 54  # that fit over a panel
LEGEND_LETTERS = 32


def colour_of_width(width, widths):
    """Few bits light, float black: the order of the widths is the order of the colours."""
    if width == metrics.FLOAT:
        return "#1A1A1A"
    few = [w for w in widths if w != metrics.FLOAT]
    place = few.index(width) / max(1, len(few) - 1)
    return plt.get_cmap("plasma_r")(0.18 + 0.68 * place)


def setting_text(setting):
    activations, range_, granularity, *ends = setting
    acts = "float activations" if activations == metrics.FLOAT else f"{activations}-bit activations"
    return f"{acts}, {RANGE_NAMES.get(range_, range_)} per {granularity}{metrics.ends_text(ends)}"


def percent_axis(axes, main, others=()):
    """An axis for the main values (percent), and the other ones that are near; returns its lower end.

    It is from 0 to 100, unless everything stands high: then it goes from a little below the lowest to a little above
    the highest.
    """
    span = max(5, max(main) - min(main))
    near = [*main, *(value for value in others if value >= min(main) - span)]
    span = max(5, max(near) - min(near))
    step = 2 if span <= 12 else 5
    low = step * math.floor((min(near) - 0.15 * span) / step)
    low = low if low >= 50 else 0
    axes.set_ylim(low, 101 if low == 0 else min(101, max(near) + 0.1 * span))
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=6, steps=[1, 2, 5, 10]))
    return low


def round_axis(axes, rounds):
    """Whole rounds only; a single one has the one tick."""
    if len(rounds) == 1:
        axes.set_xlim(min(rounds) - 1, min(rounds) + 1)
        axes.set_xticks(list(rounds))
    else:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=7, steps=[1, 2, 5, 10], min_n_ticks=1))
    axes.set_xlabel("round")


def wrapped(text, letters):
    return "\n".join(textwrap.wrap(text, letters))


def panels_of(rows, columns, title_lines):
    """Panels of one size, however much stands around them: save() makes the picture as large as all of it."""
    between = 0.75 + 0.18 * title_lines  # inches, for the labels of one row and the titles of the next
    height = rows * PANEL[1] + (rows - 1) * between
    width = columns * PANEL[0] + (columns - 1) * 0.3
    figure, panels = plt.subplots(rows, columns, figsize=(width, height), sharey=True, squeeze=False)
    figure.subplots_adjust(left=0, right=1, bottom=0, top=1, wspace=0.3 / PANEL[0], hspace=between / PANEL[1])
    return figure, panels


def bits_text(width):
    return "float" if width == metrics.FLOAT else f"{width} bits"


def beside(panel, handles, labels, title):
    labels = [wrapped(label, LEGEND_LETTERS) for label in labels]
    panel.legend(handles, labels, title=title, loc="center left", bbox_to_anchor=(1.02, 0.5), alignment="left")


def draw_by_round(runs):
    columns = min(3, len(runs))
    drawn = [metrics.curves(run) for run in runs]
    titles = [f"{wrapped(run.name, LETTERS)}\n{setting_text(setting)}" for run, (setting, _) in zip(runs, drawn)]
    figure, panels = panels_of(math.ceil(len(runs) / columns), columns,
                               max(title.count("\n") + 1 for title in titles))
    widths = sorted({width for _, lines in drawn for width in lines})
    keys = {}
    for panel, title, (_, lines) in zip(panels.flat, titles, drawn):
        for width in sorted(lines, reverse=True):  # few bits above and thin, so that what they cover shows around them
            rounds, values = zip(*lines[width])
            rank = min(6, widths.index(width))
            keys[width], = panel.plot(rounds, [100 * value for value in values], marker="o",
                                      color=colour_of_width(width, widths), linewidth=1.5 + 0.3 * rank,
                                      markersize=3.6 + rank)
        panel.set_title(title, loc="left")
        round_axis(panel, {round_ for line in lines.values() for round_, _ in line})
    for panel in list(panels.flat)[len(runs):]:
        panel.remove()
    for row in panels:
        row[0].set_ylabel("test accuracy (%)")
    percent_axis(panels[0][0], [100 * value for _, lines in drawn for line in lines.values() for _, value in line])
    shown = list(reversed(widths))
    last = panels.flat[len(runs) - 1]  # to its right there is room
    beside(last, [keys[width] for width in shown], [bits_text(width) for width in shown], "weights")
    return figure


def lines_by_width(runs, activations):
    """(label, {width: value}, colour, marker, dashed) of each line of one panel."""
    lines = []
    for index, run in enumerate(runs):
        colour, marker = RUN_COLOURS[index % len(RUN_COLOURS)], RUN_MARKERS[index % len(RUN_MARKERS)]
        best = metrics.best_by_width(run, activations)
        values = {width: point["value"] for width, point in best.items()}
        plain = {w: p["value"] for w, p in metrics.best_by_width(run, activations, only_range="minmax").items()}
        choice = {point["range"] for point in metrics.compared_points(run)} != {"minmax"}
        name = run.name + metrics.ends_text(metrics.shown_ends(run))
        lines.append((f"{name}, best range rule" if choice else name, values, colour, marker, False))
        if choice and plain and run.method == metrics.BASELINE:
            lines.append((f"{name}, min-max", plain, colour, marker, True))
    return lines


def moment_text(runs):
    """After what the runs were measured last; each named where they differ."""
    moments = {metrics.last_evaluated(run) for run in runs}
    if len(moments) == 1:
        return moments.pop()
    return ", ".join(f"{metrics.last_evaluated(run)} ({run.name})" for run in runs)


def write_what_is_below(panel, low, place, lines):
    """The values of points that lie below the axis, at its edge, the lowest at the bottom."""
    below = sorted((100 * value, place[width], colour) for _, values, colour, _, _ in lines
                   for width, value in values.items() if 100 * value < low)
    written = collections.Counter()
    for value, at, colour in below:
        panel.annotate(f"\u2193 {value:.1f}", (at, low), (-4, 4 + 12 * written[at]), color=colour,
                       textcoords="offset points", fontsize=9, va="bottom")
        written[at] += 1


def draw_by_width(runs):
    activations = metrics.activation_widths(runs)
    if not activations:
        raise metrics.MetricsError("the runs' final grids share no width of activations; draw them apart")
    figure, panels = panels_of(1, len(activations), 1)
    drawn = [lines_by_width(runs, width) for width in activations]
    widths = sorted({width for lines in drawn for _, values, *_ in lines for width in values})
    place = {width: index for index, width in enumerate(widths)}
    main, dashed = ([100 * value for lines in drawn for _, values, _, _, dash in lines if dash == wanted
                     for value in values.values()] for wanted in (False, True))
    low = percent_axis(panels[0][0], main, dashed)
    for panel, bits, lines in zip(panels[0], activations, drawn):
        for label, values, colour, marker, dash in lines:
            panel.plot([place[w] for w in values], [100 * v for v in values.values()], label=label, color=colour,
                       marker=marker, linestyle="--" if dash else "-", alpha=0.75 if dash else 1,
                       markerfacecolor="white" if dash else colour)
        write_what_is_below(panel, low, place, lines)
        panel.set_xticks(range(len(widths)), [metrics.width_name(width) for width in widths])
        panel.set_xlim(-0.3, len(widths) - 0.7)
        panel.set_xlabel("width of the weights (bits)")
        panel.set_title("float activations" if bits == metrics.FLOAT else f"{bits}-bit activations", loc="left")
    panels[0][0].set_ylabel("test accuracy (%)")
    granularity = " or ".join(sorted({metrics.shown_granularity(run) for run in runs}))
    title = f"Accuracy after {moment_text(runs)}, one model at every width; ranges per {granularity}"
    panels[0][0].annotate(wrapped(title, 20 + LETTERS * len(activations)), (0, 1), (-36, 25), fontsize=12,
                          xycoords="axes fraction", textcoords="offset points", va="bottom")
    handles, labels = panels[0][0].get_legend_handles_labels()
    beside(panels[0][-1], handles, labels, None)
    return figure


def read_runs(folders, around):
    """The runs that were evaluated, and a note for each that was not; refuses where none is left.

    They are named by their place under the folder around them where their own names do not tell them apart.
    """
    runs, notes = {}, []
    for folder in folders:
        try:
            runs[folder] = metrics.read_run(folder)
        except metrics.NotEvaluated as error:
            if len(folders) == 1:
                raise
            notes.append(f"left out: {error}")
    if not runs:
        raise metrics.MetricsError("none of the runs was evaluated yet; run on, or set evaluate.every to a smaller "
                                   "number")
    if len({run.name for run in runs.values()}) == len(runs):
        return list(runs.values()), notes
    return [dataclasses.replace(run, name=os.path.relpath(folder, around)) for folder, run in runs.items()], notes


def save(figure, out, name):
    for kind in ("png", "svg"):
        file = out / f"{name}.{kind}"
        figure.savefig(file, bbox_inches="tight", metadata={"Date": None} if kind == "svg" else None)
        print(file)
    plt.close(figure)


def main(arguments):
    parser = argparse.ArgumentParser(prog="plot.py", description=__doc__)
    parser.add_argument("runs", nargs="+", metavar="RUN_DIR", help="folder with a metrics.jsonl")
    parser.add_argument("--out", type=pathlib.Path, metavar="DIR",
                        help="where the pictures go (default: the run's folder; of several runs, the one around them)")
    options = parser.parse_args(arguments)
    try:
        around = os.path.commonpath([os.path.abspath(folder) for folder in options.runs])
        runs, notes = read_runs(options.runs, around)
        for note in notes:
            print(f"plot.py: {note}", file=sys.stderr)
        out = options.out or pathlib.Path(os.path.relpath(around))
        out.mkdir(parents=True, exist_ok=True)
        with plt.rc_context(STYLE):
            save(draw_by_round(runs), out, "accuracy_by_round")
            save(draw_by_width(runs), out, "accuracy_by_width")
    except metrics.MetricsError as error:
        print(f"plot.py: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"plot.py: cannot write {error.filename or options.out}: {metrics.reason(error)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
