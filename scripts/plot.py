#!/usr/bin/python3
"""Draws runs: accuracy against rounds (a panel per run, a line per width) and final accuracy against width (a line
per run, at its best range rule per width; plain FedAvg also under min-max, dashed). Writes PNG and SVG.
"""
import argparse
import dataclasses
import math
import os
import pathlib
import sys

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


def percent_axis(axes, values):
    """From 0 to 100, unless everything stands high: then a window of whole tens."""
    low = math.floor(min(values) * 10 - 0.2) * 10
    axes.set_ylim(low if low >= 50 else 0, 101)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=6, steps=[1, 2, 5, 10]))


def bits_text(width):
    return "float" if width == metrics.FLOAT else f"{width} bits"


def beside(panel, handles, labels, title):
    panel.legend(handles, labels, title=title, loc="center left", bbox_to_anchor=(1.02, 0.5), alignment="left")


def draw_by_round(runs):
    columns = min(3, len(runs))
    rows = math.ceil(len(runs) / columns)
    figure, panels = plt.subplots(rows, columns, figsize=(1.6 + 4.1 * columns, 0.7 + 3.3 * rows), sharey=True,
                                  squeeze=False, layout="constrained")
    drawn = [metrics.curves(run) for run in runs]
    widths = sorted({width for _, lines in drawn for width in lines})
    keys = {}
    for panel, run, (setting, lines) in zip(panels.flat, runs, drawn):
        for width, line in lines.items():
            rounds, values = zip(*line)
            keys[width], = panel.plot(rounds, [100 * value for value in values], marker="o", markersize=3.5,
                                      color=colour_of_width(width, widths))
        panel.set_title(f"{run.name}\n{setting_text(setting)}", loc="left")
        panel.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=7, steps=[1, 2, 5, 10]))
        panel.set_xlabel("round")
    for panel in list(panels.flat)[len(runs):]:
        panel.remove()
    for row in panels:
        row[0].set_ylabel("test accuracy (%)")
    percent_axis(panels[0][0], [value for _, lines in drawn for line in lines.values() for _, value in line])
    shown = list(reversed(widths))
    beside(panels[0][-1], [keys[width] for width in shown], [bits_text(width) for width in shown], "weights")
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


def draw_by_width(runs):
    activations = metrics.activation_widths(runs)
    if not activations:
        raise metrics.MetricsError("the runs' final grids share no width of activations; draw them apart")
    figure, panels = plt.subplots(1, len(activations), figsize=(1.2 + 4.6 * len(activations), 4.4), sharey=True,
                                  squeeze=False, layout="constrained")
    drawn = [lines_by_width(runs, width) for width in activations]
    widths = sorted({width for lines in drawn for _, values, *_ in lines for width in values})
    place = {width: index for index, width in enumerate(widths)}
    for panel, bits, lines in zip(panels[0], activations, drawn):
        for label, values, colour, marker, dashed in lines:
            panel.plot([place[w] for w in values], [100 * v for v in values.values()], label=label, color=colour,
                       marker=marker, linestyle="--" if dashed else "-", alpha=0.75 if dashed else 1,
                       markerfacecolor="white" if dashed else colour)
        panel.set_xticks(range(len(widths)), [metrics.width_name(width) for width in widths])
        panel.set_xlim(-0.3, len(widths) - 0.7)
        panel.set_xlabel("width of the weights (bits)")
        panel.set_title("float activations" if bits == metrics.FLOAT else f"{bits}-bit activations", loc="left")
    panels[0][0].set_ylabel("test accuracy (%)")
    percent_axis(panels[0][0], [value for lines in drawn for _, values, *_ in lines for value in values.values()])
    granularity = {metrics.shown_granularity(run) for run in runs}
    figure.suptitle(f"Accuracy after {moment_text(runs)}, one model at every width; "
                    f"ranges per {' or '.join(sorted(granularity))}", x=0.01, ha="left", fontsize=12)
    handles, labels = panels[0][0].get_legend_handles_labels()
    beside(panels[0][-1], handles, labels, None)
    return figure


def told_apart(runs, folders, around):
    """The runs, named by their place under the folder around them where their own names do not tell them apart."""
    if len({run.name for run in runs}) == len(runs):
        return runs
    return [dataclasses.replace(run, name=os.path.relpath(folder, around)) for run, folder in zip(runs, folders)]


def save(figure, out, name):
    for kind in ("png", "svg"):
        file = out / f"{name}.{kind}"
        figure.savefig(file, metadata={"Date": None} if kind == "svg" else None)
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
        runs = told_apart([metrics.read_run(folder) for folder in options.runs], options.runs, around)
        out = options.out or pathlib.Path(os.path.relpath(around))
        out.mkdir(parents=True, exist_ok=True)
        with plt.rc_context(STYLE):
            save(draw_by_round(runs), out, "accuracy_by_round")
            save(draw_by_width(runs), out, "accuracy_by_width")
    except (metrics.MetricsError, OSError) as error:
        print(f"plot.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
