"""Draws what scripts/growth measured: the time of a round against each axis, log on log, with the slope."""
import math

import numpy
import picture
from bench_cases import BenchError
from bench_records import read_record
from matplotlib.ticker import FuncFormatter, NullLocator

POINT_KEYS = ("x", "value", "least", "most")
GUIDE = "#8C8C8C"


def slope_text(value):
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "\u2212")  # + 0.0: no minus before a zero


def heading(axis):
    """The axis, its slope, and that of its last decade where there is more than one."""
    points, label = axis["points"], axis["label"]
    if axis["slope"] is None:
        return label
    if axis["slope_allowed"] is None:
        speed = points[0]["value"] / points[-1]["value"]
        return f"{label}: slope {slope_text(axis['slope'])}, {speed:.2f} times as fast on {points[-1]['x']}"
    last = axis["slope_last_decade"]
    return f"{label}: slope {slope_text(axis['slope'])}" + ("" if last is None else
                                                            f", {slope_text(last)} over the last decade")


def read_axes(file):
    """The record of a file of scripts/growth; BenchError where it is none."""
    record = read_record(file, "scripts/growth", "axes")
    for axis in record["axes"]:
        try:
            points = [[point[key] for key in POINT_KEYS] for point in axis["points"]]
            heading(axis)
            is_drawn = points and isinstance(axis["what"], str) and min(map(min, points)) > 0
        except (KeyError, TypeError, AttributeError, IndexError, ZeroDivisionError):
            is_drawn = False
        if not is_drawn:
            raise BenchError(f"{file}: no file that scripts/growth -o wrote: an axis lacks label, what, slopes or "
                             "points above 0")
    return record


def reciprocal(milliseconds):
    """Rounds per second, and back. Matplotlib also asks for 0, before an axis has its limits."""
    return 1000 / numpy.maximum(milliseconds, 1e-300)


def draw_axis(panel, axis, colour):
    points = axis["points"]
    places, values = [point["x"] for point in points], [point["value"] for point in points]
    errors = [[point["value"] - point["least"] for point in points],
              [point["most"] - point["value"] for point in points]]
    allowed = -1 if axis["slope_allowed"] is None else axis["slope_allowed"]
    first, name = values[0], {0: "no growth", 1: "linear", -1: "perfect speed-up"}.get(allowed, f"slope {allowed:g}")
    panel.plot(places, [first * (place / places[0]) ** allowed for place in places], color=GUIDE, linestyle="--",
               linewidth=1.2, label=name)
    panel.errorbar(places, values, yerr=errors, color=colour, marker="o", capsize=3, label="measured")
    panel.set_xscale("log")
    panel.set_yscale("log")
    panel.set_xlabel(axis["label"])
    panel.set_title(f"{heading(axis)}\n{axis['what']}", loc="left")
    panel.legend(loc="best")
    if max(places) < 10 * min(places):  # too few powers of ten to read it by
        panel.set_xticks(places, [str(place) for place in places])
        panel.xaxis.set_minor_locator(NullLocator())
    panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def draw(record):
    axes = record["axes"]
    columns = min(2, len(axes))
    figure, panels = picture.panels_of(math.ceil(len(axes) / columns), columns, 2)
    for panel, axis, colour in zip(panels.flat, axes, picture.RUN_COLOURS):
        draw_axis(panel, axis, colour)
    for panel in list(panels.flat)[len(axes):]:
        panel.remove()
    for row in panels:
        row[0].set_ylabel("time of a round (ms)")
    for panel in panels.flat[columns - 1:len(axes):columns]:
        right = panel.secondary_yaxis("right", functions=(reciprocal, reciprocal))
        right.set_ylabel("rounds per second")
        right.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    picture.heading(panels[0][0], "How the time of a round grows", title_lines=2)
    return figure


def draw_file(file):
    """Writes the pictures beside the file, under its name."""
    try:
        with picture.plt.rc_context(picture.STYLE):
            picture.save(draw(read_axes(file)), file.parent, file.stem)
    except OSError as error:
        raise BenchError(f"cannot write {error.filename or file}: {error.strerror}") from None
