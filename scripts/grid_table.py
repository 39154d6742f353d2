#!/usr/bin/python3
"""Tables for RESULTS.md from the runs of one scenario under several seeds.

    scripts/grid_table.py [--last N] [--rounds A,B,C] RUN_DIR...

Prints the float accuracy of each run, averaged over its last N evaluations (or over those at the given rounds), their
mean, and the final grid as a Markdown table: mean over runs and, with two runs or more, the sample standard deviation.
"""
import argparse
import statistics
import sys

import metrics


def float_accuracy(run, rounds, last):
    """Mean over the chosen evaluations of the accuracy at 32-bit weights and activations."""
    _, lines = metrics.curves(run)
    if metrics.FLOAT not in lines:
        raise metrics.MetricsError(f"{run.name}: the float model was never evaluated; add 32 to evaluate.weights")
    points = dict(lines[metrics.FLOAT])
    chosen = rounds or sorted(points)[-last:]
    missing = [r for r in chosen if r not in points]
    if missing:
        raise metrics.MetricsError(f"{run.name}: not evaluated at round {missing[0]}")
    return statistics.mean(points[r] for r in chosen), chosen


def spread(values):
    mean = f"{100 * statistics.mean(values):.1f}"
    return f"{mean} ± {100 * statistics.stdev(values):.1f}" if len(values) > 1 else mean


def names_of(setting, with_ends):
    names = [metrics.width_name(setting.activations), setting.range, setting.granularity]
    if with_ends:
        names += [metrics.width_name(width) if width else "-" for width in (setting.first, setting.last)]
    return names


def table_row(cells):
    return "| " + " | ".join(cells) + " |"


def final_table(runs):
    """Markdown: a line per setting, a column per width of the weights; first and last widths where a grid sets them."""
    cells = {}
    for run in runs:
        for point in metrics.final_points(run):
            cells.setdefault((metrics.setting(point), point["weights"]), []).append(point["value"])
    widths = sorted({width for _, width in cells}, reverse=True)
    settings = sorted({setting for setting, _ in cells},
                      key=lambda s: (s.first, s.last, -s.activations, s.range, s.granularity != "tensor"))
    with_ends = any(setting.first or setting.last for setting in settings)
    names = ["activations", "range", "granularity"] + (["first", "last"] if with_ends else [])
    lines = [table_row(names + [f"W {metrics.width_name(width)}" for width in widths]),
             table_row(["---"] * len(names) + ["---:"] * len(widths))]
    for setting in settings:
        values = [spread(cells[setting, w]) if (setting, w) in cells else "" for w in widths]
        lines.append(table_row(names_of(setting, with_ends) + values))
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", metavar="RUN_DIR")
    parser.add_argument("--last", type=int, default=3)
    parser.add_argument("--rounds", type=lambda text: [int(r) for r in text.split(",")])
    arguments = parser.parse_args()
    try:
        runs = [metrics.read_run(folder) for folder in arguments.runs]
        means = []
        for run in runs:
            mean, chosen = float_accuracy(run, arguments.rounds, arguments.last)
            means.append(mean)
            print(f"{run.name}: float {100 * mean:.2f} % (rounds {', '.join(map(str, chosen))})")
        print(f"mean over {len(runs)} runs: {spread(means)} %\n")
        print(final_table(runs))
    except metrics.MetricsError as error:
        sys.exit(f"grid_table.py: {error}")


if __name__ == "__main__":
    main()
