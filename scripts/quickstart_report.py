#!/usr/bin/python3
"""The quickstart's table and what may be said of it: each method at its best range rule per width of the weights, one
range per tensor.

Two accuracies on n test examples separate when they differ by more than two standard errors of their difference,
sqrt(p(1 - p)/n + q(1 - q)/n), as two independent proportions have it; nothing is claimed of those that do not.
"""
import argparse
import math
import sys

import metrics


def two_standard_errors(p, q, examples):
    return 2 * math.sqrt(p * (1 - p) / examples + q * (1 - q) / examples)


def table(runs, activations):
    rows = []
    for run in runs:
        best = metrics.best_by_width(run, activations)
        name = run.name + metrics.ends_text(metrics.shown_ends(run))
        rows.append((name, {width: f"{100 * point['value']:.1f}" for width, point in best.items()}))
        few = {width: point for width, point in best.items() if width != metrics.FLOAT}
        rows.append(("  range rule", {width: point["range"] for width, point in few.items()}))
        if run.method == metrics.BASELINE:
            plain = metrics.best_by_width(run, activations, only_range="minmax")
            rows.append((f"{name}, min-max", {w: f"{100 * p['value']:.1f}" for w, p in plain.items()}))
    widths = sorted({width for _, cells in rows for width in cells})
    rows.insert(0, ("weights, bits", {width: metrics.width_name(width) for width in widths}))
    left = max(len(name) for name, _ in rows)
    return [name.ljust(left) + "".join(cells.get(width, "-").rjust(9) for width in widths) for name, cells in rows]


def claims(baseline, other, activations, examples):
    """One sentence for each width at which the two separate, one for all at which they do not."""
    ours, theirs = (metrics.best_by_width(run, activations) for run in (other, baseline))
    said, same = [], []
    for width in sorted(ours.keys() & theirs.keys()):
        p, q = ours[width]["value"], theirs[width]["value"]
        place = "in float" if width == metrics.FLOAT else f"at {width} bits"
        if abs(p - q) > two_standard_errors(p, q, examples):
            word = "above" if p > q else "below"
            margin = 100 * two_standard_errors(p, q, examples)
            said.append(f"{place}, {other.name} is {100 * abs(p - q):.2f} points {word} {baseline.name} "
                        f"(two standard errors: {margin:.2f})")
        else:
            same.append(place)
    if same:
        said.append(f"{', '.join(same)}: not separable")
    return said


def main(arguments):
    parser = argparse.ArgumentParser(prog="quickstart_report.py", description=__doc__)
    parser.add_argument("runs", nargs="+", metavar="RUN_DIR", help="the baseline first")
    parser.add_argument("--examples", type=int, default=5000, help="test examples behind each accuracy (5000)")
    options = parser.parse_args(arguments)
    try:
        runs = [metrics.read_run(folder) for folder in options.runs]
    except metrics.MetricsError as error:
        print(f"quickstart_report.py: {error}", file=sys.stderr)
        return 1
    for activations in metrics.activation_widths(runs):
        kind = "float" if activations == metrics.FLOAT else f"{activations}-bit"
        print(f"Accuracy in % on {options.examples} test examples, {kind} activations, best range rule at each width, "
              f"{metrics.granularity_text(runs[:1])}")
        print("\n".join("  " + line for line in table(runs, activations)))
        for other in runs[1:]:
            print("\n".join("  " + line for line in claims(runs[0], other, activations, options.examples)))
        print()
    print("The better of two range rules is chosen on the same test examples for both. One seed each: other seeds may "
          "differ by more than the standard errors of the test examples.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
