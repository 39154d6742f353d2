"""What all pictures share: style, colours, panels of one size, axes with units, and the files that they go to."""
import math
import textwrap

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  (the backend must be chosen first)
from matplotlib.ticker import MaxNLocator  # noqa: E402

import metrics  # noqa: E402

RUN_COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#5D5D5D"]  # Okabe and Ito
RUN_MARKERS = ["o", "s", "^", "D", "v", "P", "X"]
RANGE_NAMES = {"minmax": "min-max", "mse": "MSE search", "percentile": "percentile", "learned": "learned step",
               metrics.TRAINED: "quantizers as trained"}
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
    "text.parse_math": False,  # names of runs and classes may have a $
    "svg.hashsalt": "anybit",
}
TIME_UNITS = ((1, "s"), (60, "min"), (3600, "h"), (86400, "days"))
PANEL = (4.6, 3.4)  # inches, without what stands around it
LETTERS = 54  # that fit over a panel
LEGEND_LETTERS = 32


def look_of_run(index):
    """Colour and marker."""
    return RUN_COLOURS[index % len(RUN_COLOURS)], RUN_MARKERS[index % len(RUN_MARKERS)]


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
    per = "" if granularity == metrics.TRAINED else f" per {granularity}"
    return f"{acts}, {RANGE_NAMES.get(range_, range_)}{per}{metrics.ends_text(ends)}"


def bits_text(width):
    return "float" if width == metrics.FLOAT else f"{width} bits"


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


def wrapped(text, letters):
    return "\n".join(textwrap.wrap(text, letters))


def thousands(name):
    """The units of amounts that may be very large: J, kJ, MJ and so on."""
    return tuple((1000 ** power, prefix + name) for power, prefix in enumerate(("", "k", "M", "G", "T", "P")))


def unit_for(largest, units, least=3):
    """(factor, name) of the largest unit of which there are so many or more; else the smallest."""
    return max((unit for unit in units if largest >= least * unit[0]), default=units[0])


def amount_text(amount, units):
    """Three digits and a unit."""
    factor, name = unit_for(amount, units, least=1)
    return f"{float(f'{amount / factor:.3g}'):g} {name}"


def heading(panel, text, title_lines=1):
    """Over a row of panels, whose titles have so many lines; `panel` is the first."""
    panel.annotate(text, (0, 1), (-36, 14 + 11 * title_lines), fontsize=12, xycoords="axes fraction",
                   textcoords="offset points", va="bottom")


def panels_of(rows, columns, title_lines, sharey=True):
    """Panels of one size, however much stands around them: save() makes the picture as large as all of it."""
    between = 0.75 + 0.18 * title_lines  # inches, for the labels of one row and the titles of the next
    height = rows * PANEL[1] + (rows - 1) * between
    width = columns * PANEL[0] + (columns - 1) * 0.3
    figure, panels = plt.subplots(rows, columns, figsize=(width, height), sharey=sharey, squeeze=False)
    figure.subplots_adjust(left=0, right=1, bottom=0, top=1, wspace=0.3 / PANEL[0], hspace=between / PANEL[1])
    return figure, panels


def beside(panel, handles, labels, title, corner="center left"):
    """A legend right of the panel; corner: what of it is at half the panel's height."""
    labels = [wrapped(label, LEGEND_LETTERS) for label in labels]
    labels = [" " + label if label.startswith("_") else label for label in labels]  # else Matplotlib leaves them out
    panel.legend(handles, labels, title=title, loc=corner, bbox_to_anchor=(1.02, 0.5), alignment="left")


def width_lines(panel, lines, widths):
    """Draws {width: [(x, fraction), ...]} as percent, and returns {width: its line}; widths: of all panels."""
    keys = {}
    for width in sorted(lines, reverse=True):  # few bits above and thin, so that what they cover shows around them
        places, values = zip(*lines[width])
        rank = min(6, widths.index(width))
        keys[width], = panel.plot(places, [100 * value for value in values], marker="o",
                                  color=colour_of_width(width, widths), linewidth=1.5 + 0.3 * rank,
                                  markersize=3.6 + rank)
    return keys


def widths_beside(panel, keys):
    """The legend of width_lines()."""
    shown = sorted(keys, reverse=True)
    beside(panel, [keys[width] for width in shown], [bits_text(width) for width in shown], "weights")


def save(figure, out, name):
    for kind in ("png", "svg"):
        file = out / f"{name}.{kind}"
        figure.savefig(file, bbox_inches="tight", metadata={"Date": None} if kind == "svg" else None)
        print(file)
    plt.close(figure)
