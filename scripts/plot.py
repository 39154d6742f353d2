#!/usr/bin/python3
"""Draws runs: accuracy against rounds (a panel per run, a line per width), final accuracy against width (a line per
run, at its best range rule per width; plain FedAvg also under min-max, dashed), accuracy against what it cost:
virtual time, energy and bytes, as far as the runs know them, and energy by class of devices. Writes PNG and SVG.
"""
import argparse
import collections
import dataclasses
import math
import os
import pathlib
import sys

from matplotlib.ticker import MaxNLocator

import cost_plot
import metrics
import picture
from picture import LETTERS, wrapped


def round_axis(axes, rounds):
    """Whole rounds only; a single one has the one tick."""
    if len(rounds) == 1:
        axes.set_xlim(min(rounds) - 1, min(rounds) + 1)
        axes.set_xticks(list(rounds))
    else:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=7, steps=[1, 2, 5, 10], min_n_ticks=1))
    axes.set_xlabel("round")


def draw_by_round(runs):
    columns = min(3, len(runs))
    drawn = [metrics.curves(run) for run in runs]
    titles = [f"{wrapped(run.name, LETTERS)}\n{picture.setting_text(setting)}"
              for run, (setting, _) in zip(runs, drawn)]
    figure, panels = picture.panels_of(math.ceil(len(runs) / columns), columns,
                                       max(title.count("\n") + 1 for title in titles))
    widths = sorted({width for _, lines in drawn for width in lines})
    keys = {}
    for panel, title, (_, lines) in zip(panels.flat, titles, drawn):
        keys |= picture.width_lines(panel, lines, widths)
        panel.set_title(title, loc="left")
        round_axis(panel, {round_ for line in lines.values() for round_, _ in line})
    for panel in list(panels.flat)[len(runs):]:
        panel.remove()
    for row in panels:
        row[0].set_ylabel("test accuracy (%)")
    picture.percent_axis(panels[0][0], [100 * value for _, lines in drawn for line in lines.values()
                                        for _, value in line])
    picture.widths_beside(panels.flat[len(runs) - 1], keys)  # to its right there is room
    return figure


def lines_by_width(runs, activations):
    """(label, {width: value}, colour, marker, dashed) of each line of one panel."""
    lines = []
    for index, run in enumerate(runs):
        colour, marker = picture.look_of_run(index)
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
    figure, panels = picture.panels_of(1, len(activations), 1)
    drawn = [lines_by_width(runs, width) for width in activations]
    widths = sorted({width for lines in drawn for _, values, *_ in lines for width in values})
    place = {width: index for index, width in enumerate(widths)}
    main, dashed = ([100 * value for lines in drawn for _, values, _, _, dash in lines if dash == wanted
                     for value in values.values()] for wanted in (False, True))
    low = picture.percent_axis(panels[0][0], main, dashed)
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
    title = f"Accuracy after {moment_text(runs)}, one model at every width; {metrics.granularity_text(runs)}"
    picture.heading(panels[0][0], wrapped(title, 20 + LETTERS * len(activations)))
    handles, labels = panels[0][0].get_legend_handles_labels()
    picture.beside(panels[0][-1], handles, labels, None)
    return figure


PICTURES = {"accuracy_by_round": draw_by_round, "accuracy_by_width": draw_by_width,
            "accuracy_by_cost": cost_plot.draw_by_cost, "energy_by_class": cost_plot.draw_energy_by_class}


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
        with picture.plt.rc_context(picture.STYLE):
            for name, draw in PICTURES.items():
                figure = draw(runs)
                if figure is not None:
                    picture.save(figure, out, name)
    except metrics.MetricsError as error:
        print(f"plot.py: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"plot.py: cannot write {error.filename or options.out}: {metrics.reason(error)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
