"""Draws accuracy against what it cost (virtual time, energy, bytes), and energy by class of devices.

Of one run: a panel for each cost, a line per width. Of several: a row of panels for each width, a line per run.
"""
from typing import Callable, NamedTuple

from matplotlib.ticker import NullFormatter

import metrics
import picture
from picture import LETTERS, wrapped

LOG_FROM = 8  # times as much as the cheapest run has cost: on a linear axis that one would be a stroke
BAR = 0.3  # inches


class Cost(NamedTuple):
    name: str
    title: str
    of: Callable  # costs.Spent -> amount, or None
    units: tuple


COSTS = (Cost("time", "virtual time", lambda spent: spent.time, picture.TIME_UNITS),
         Cost("energy", "energy of all devices", lambda spent: spent.energy, picture.thousands("J")),
         Cost("bytes", "bytes sent, down and up", lambda spent: spent.bytes, picture.thousands("B")))


def lines_by_cost(run, cost):
    """{width: [(amount, value), ...]} of the regular evaluation; {} where the run does not know this cost."""
    _, lines = metrics.curves(run)
    amounts = {round_: cost.of(spent) for round_, spent in run.spent.items()}
    known = {width: [(amounts[round_], value) for round_, value in line if amounts.get(round_) is not None]
             for width, line in lines.items()}
    return {width: line for width, line in known.items() if any(amount > 0 for amount, _ in line)}


def scaled(lines, factor):
    return {width: [(amount / factor, value) for amount, value in line] for width, line in lines.items()}


def totals(drawn):
    """What each run's dearest point has cost."""
    return [max(amount for line in lines.values() for amount, _ in line) for lines in drawn if lines]


def cost_axis(panel, cost, most, unit):
    """From 0, or by powers where runs cost very different amounts."""
    panel.set_xlabel(f"{cost.title} ({unit[1]})")
    if max(most) > LOG_FROM * min(most):
        panel.set_xscale("log")
        panel.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        panel.xaxis.set_minor_formatter(NullFormatter())
    else:
        panel.set_xlim(0, 1.04 * max(most) / unit[0])


def percents(rows):
    return [100 * value for lines in rows for line in lines.values() for _, value in line]


def draw_one(run, shown):
    """shown: [(Cost, lines), ...]."""
    figure, panels = picture.panels_of(1, len(shown), 1)
    widths = sorted({width for _, lines in shown for width in lines})
    keys = {}
    for panel, (cost, lines) in zip(panels[0], shown):
        most = totals([lines])
        unit = picture.unit_for(max(most), cost.units)
        keys |= picture.width_lines(panel, scaled(lines, unit[0]), widths)
        cost_axis(panel, cost, most, unit)
    panels[0][0].set_ylabel("test accuracy (%)")
    picture.percent_axis(panels[0][0], percents([lines for _, lines in shown]))
    picture.widths_beside(panels[0][-1], keys)
    title = f"{run.name}: {picture.setting_text(metrics.curves(run)[0])}"
    picture.heading(panels[0][0], wrapped(title, LETTERS * len(shown)), title_lines=0)
    return figure


def run_labels(runs, shown):
    """(label of each run, the setting that all were measured under, or None); a label says what the run lacks."""
    settings = [picture.setting_text(metrics.curves(run)[0]) for run in runs]
    common = settings[0] if len(set(settings)) == 1 else None
    labels = []
    for index, run in enumerate(runs):
        missing = [cost.name for cost, drawn in shown if not drawn[index]]
        labels.append(run.name + ("" if common else f": {settings[index]}")
                      + (f" (without {', '.join(missing)})" if missing else ""))
    return labels, common


def draw_several(runs, shown):
    """shown: [(Cost, [lines of each run]), ...]."""
    widths = sorted({width for _, drawn in shown for lines in drawn for width in lines}, reverse=True)
    figure, panels = picture.panels_of(len(widths), len(shown), 1, sharey="row")
    labels, setting = run_labels(runs, shown)
    keys = {}
    for column, (cost, drawn) in enumerate(shown):
        most = totals(drawn)
        unit = picture.unit_for(max(most), cost.units)
        for row, width in zip(panels, widths):
            for index, lines in enumerate(drawn):
                if width in lines:
                    colour, marker = picture.look_of_run(index)
                    places, values = zip(*scaled(lines, unit[0])[width])
                    keys[index], = row[column].plot(places, [100 * value for value in values], color=colour,
                                                    marker=marker)
            cost_axis(row[column], cost, most, unit)
    for row, width in zip(panels, widths):
        row[0].set_ylabel("test accuracy (%)")
        row[0].set_title("float weights" if width == metrics.FLOAT else f"{width}-bit weights", loc="left")
        picture.percent_axis(row[0], percents([{width: lines[width]} for _, drawn in shown for lines in drawn
                                               if width in lines]))
    picture.beside(panels[0][-1], [keys[index] for index in sorted(keys)], [labels[index] for index in sorted(keys)],
                   None)
    title = "Accuracy against what it cost" + (f"; {setting}" if setting else "")
    picture.heading(panels[0][0], wrapped(title, LETTERS * len(shown)))
    return figure


def draw_by_cost(runs):
    """None where the runs' files know of no cost."""
    shown = [(cost, [lines_by_cost(run, cost) for run in runs]) for cost in COSTS]
    shown = [(cost, drawn) for cost, drawn in shown if any(drawn)]
    if not shown:
        return None
    if len(runs) == 1:
        return draw_one(runs[0], [(cost, drawn[0]) for cost, drawn in shown])
    return draw_several(runs, shown)


def energy_text(run):
    total = sum(run.energy.values())
    wasted = f", {100 * run.wasted / total:.0f} % of it wasted" if run.wasted > 0 else ""
    return f"{run.name}: {picture.amount_text(total, picture.thousands('J'))}{wasted}"


def draw_bars(panel, runs, classes, factor):
    """Of each class a group, of each run a bar in it. runs: [(look, run), ...]"""
    height = 1 / (len(runs) + 0.6)  # of a bar and what is beside it, where a group has 1
    for index, ((colour, _), run) in enumerate(runs):
        places = [at + (index - (len(runs) - 1) / 2) * height for at in range(len(classes))]
        values = [run.energy.get(name, 0) / factor for name in classes]
        bars = panel.barh(places, values, 0.86 * height, color=colour, label=energy_text(run))
        panel.bar_label(bars, [f"{float(f'{value:.3g}'):g}" for value in values], padding=3, fontsize=9)
    panel.set_yticks(range(len(classes)), classes)
    panel.invert_yaxis()
    panel.grid(False, axis="y")
    panel.margins(x=0.2)


def draw_energy_by_class(runs):
    """A bar for each class and run; None where there are not two to compare."""
    shown = [(picture.look_of_run(index), run) for index, run in enumerate(runs) if any(run.energy.values())]
    classes = list(dict.fromkeys(name for _, run in shown for name in run.energy))
    if len(shown) * len(classes) < 2:
        return None
    height = max(1.2, BAR * len(classes) * (len(shown) + 0.6))
    figure, panel = picture.plt.subplots(figsize=(picture.PANEL[0], height))
    factor, unit = picture.unit_for(max(energy for _, run in shown for energy in run.energy.values()),
                                    picture.thousands("J"))
    draw_bars(panel, shown, classes, factor)
    panel.set_xlabel(f"energy of the whole run ({unit})")
    if len(shown) == 1:
        panel.set_title(wrapped(energy_text(shown[0][1]), LETTERS), loc="left")
    else:
        panel.set_title("Energy by class of devices", loc="left")
        picture.beside(panel, *panel.get_legend_handles_labels(), None)
    return figure
