"""Reads what a run has measured: metrics.jsonl, one JSON object a round (docs/metrics.md), and from scenario.toml the
method's name and how many rounds were planned. Rounds are counted here as they were planned: by the versions that they
made, without those that were abandoned.

An evaluation is a list of points; a point has weights and activations (bits, 32 is float), range, granularity and
value (accuracy as a fraction), and first and last (bits) where these layers have widths of their own. The last round
holds the final grid, and behind it the regular points. What rounds cost is in costs.py, single tasks in tasks.py.
"""
import json
import pathlib
import tomllib
from dataclasses import dataclass, field
from typing import NamedTuple

import costs

FLOAT = 32
BASELINE = "fedavg"  # the method that is also shown under plain min-max
TRAINED = "trained"  # range and granularity of points by the quantizers of the method that trained the model
POINT_KEYS = ("weights", "activations", "range", "granularity", "value")


class MetricsError(Exception):
    """A run folder that cannot be read; the message says which, where and why."""


class NotEvaluated(MetricsError):
    """A run of which nothing was evaluated yet."""


@dataclass(frozen=True)
class Run:
    name: str
    method: str | None  # None: the folder has no scenario.toml
    evaluations: list  # of (round, [point, ...]), in order of rounds; never empty
    rounds: int | None = None  # planned; None: not known
    spent: dict = field(default_factory=dict)  # {round: costs.Spent until then} of the rounds that were evaluated
    energy: dict = field(default_factory=dict)  # {class of the fleet: joules} of all rounds; empty: not told
    wasted: float = 0  # joules of these, of tasks whose update did not count


def read_run(folder):
    """The run in a folder; NotEvaluated where nothing was evaluated yet, MetricsError where none can be read."""
    folder = pathlib.Path(folder)
    records = read_records(folder)
    totals = costs.running_totals(records)
    evaluated = [(_version(record), record["accuracy"], total) for record, total in zip(records, totals)
                 if record.get("accuracy")]
    if not evaluated:
        raise NotEvaluated(f"{folder / 'metrics.jsonl'}: nothing was evaluated yet; run on, or set evaluate.every to a "
                           "smaller number")
    method, rounds = _planned(folder / "scenario.toml")
    return Run(folder.resolve().name, method, [(version, points) for version, points, _ in evaluated], rounds,
               {version: total for version, _, total in evaluated}, costs.energy_by_class(records),
               costs.wasted_energy(records))


def read_records(folder):
    """The objects of a run's metrics.jsonl, each checked; NotEvaluated where no round is over yet."""
    file = folder / "metrics.jsonl"
    try:
        lines = _whole_lines(file.read_bytes())
    except OSError as error:
        if isinstance(error, FileNotFoundError) and (folder / "scenario.toml").exists():
            raise NotEvaluated(f"{folder}: no round is over yet") from None
        raise MetricsError(f"{folder} is no folder of a run: {file}: {reason(error)}") from None
    return [_record(file, number, line) for number, line in enumerate(lines, start=1)]


def reason(error):
    """What went wrong, in plain words."""
    if isinstance(error, UnicodeDecodeError):
        return "not UTF-8 text"
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)


def _is_json(line):
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _whole_lines(text):
    # A last line without its end, or cut off before its end, was being written when the run was killed, or still is.
    lines = text.split(b"\n")[:-1]
    if lines and lines[-1].startswith(b"{") and not _is_json(lines[-1]):
        lines.pop()
    return lines


def _check(point):
    """ValueError where a point of accuracy is none."""
    if not isinstance(point, dict):
        raise ValueError("a point of accuracy is no object")
    missing = [key for key in POINT_KEYS if key not in point]
    if missing:
        raise ValueError(f"a point of accuracy lacks {', '.join(missing)}")
    for key in ("weights", "activations"):
        if type(point[key]) is not int:
            raise ValueError(f"{key} is no whole number of bits")
    for key in ("range", "granularity"):
        if not isinstance(point[key], str):
            raise ValueError(f"{key} is no text")
    value = point["value"]
    if type(value) not in (int, float) or not 0 <= value <= 1:
        raise ValueError(f"value is {json.dumps(value)}, but an accuracy is a number from 0 to 1")


def _version(record):
    return record.get("version", record["round"])


def _record(file, number, line):
    """The object of one line, checked."""
    try:
        if not _is_json(line):
            raise ValueError("not a line of JSON")
        record = json.loads(line)
        if not isinstance(record, dict) or type(record.get("round")) is not int:
            raise ValueError("no object with the number of a round")
        points = record.get("accuracy", [])
        if not isinstance(points, list):
            raise ValueError("accuracy is no list of points")
        for point in points:
            _check(point)
        if type(_version(record)) is not int:
            raise ValueError("version is no whole number")
        costs.check(record)
        return record
    except ValueError as error:
        raise MetricsError(f"{file}:{number}: {error}") from None


def _planned(file):
    """(the method's name, the number of rounds), each None where the file does not say."""
    try:
        scenario = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None, None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise MetricsError(f"{file}: {reason(error)}") from None
    try:
        return scenario["training"]["method"]["name"], scenario.get("federation", {}).get("rounds")
    except (KeyError, TypeError, AttributeError):
        raise MetricsError(f"{file}: training.method has no name") from None


def last_evaluated(run):
    """"training", or "round 10 of 60" where the run is not over."""
    last = run.evaluations[-1][0]
    return "training" if run.rounds is None or last >= run.rounds else f"round {last} of {run.rounds}"


def width_name(width):
    return "float" if width == FLOAT else str(width)


class Setting(NamedTuple):
    """What a point was measured under, but for the width of its weights."""
    activations: int
    range: str
    granularity: str
    first: int = 0  # width of the first layer; 0: as the others
    last: int = 0


def setting(point):
    return Setting(point["activations"], point["range"], point["granularity"], *ends(point))


def ends(point):
    """The widths of the first and the last layer; 0: as the others."""
    return point.get("first", 0), point.get("last", 0)


def ends_text(widths):
    """", first layer 8 bits, last layer 4 bits", "" where both are as the others."""
    return "".join(f", {place} layer {'float' if width == FLOAT else f'{width} bits'}"
                   for place, width in zip(("first", "last"), widths) if width)


def _measured_under(shown, point):
    """Whether a point has the setting `shown`; float weights have none but the activations'."""
    own = setting(point)
    return own.activations == shown.activations if _fits_any_rule(point, shown.range) else own == shown


def _fits_any_rule(point, range_):
    """Whether a point stands for that range rule as for others: its weights are float, and so are its activations, or
    they are by the method's own quantizers where the rule is that and by ranges where it is not."""
    return point["weights"] == FLOAT and (
        point["activations"] == FLOAT or (point["range"] == TRAINED) == (range_ == TRAINED))


def curves(run):
    """(setting, {width: [(round, value), ...]}) of the regular evaluation, under its plainest setting."""
    first = [setting(point) for point in run.evaluations[0][1]]
    plain = first[0]._replace(activations=FLOAT, range="minmax", granularity="tensor")
    shown = plain if plain in first else first[0]
    widths = {point["weights"] for point in run.evaluations[0][1] if _measured_under(shown, point)}
    lines = {width: {} for width in sorted(widths)}
    for round_, points in run.evaluations:
        for point in points:
            if point["weights"] in lines and _measured_under(shown, point):
                lines[point["weights"]][round_] = point["value"]
    return shown, {width: sorted(line.items()) for width, line in lines.items()}


def final_points(run):
    return run.evaluations[-1][1]


def shown_ends(run):
    """The one pair of first and last widths that comparisons are made at: that of the final grid."""
    return ends(final_points(run)[0])


def compared_points(run):
    return [point for point in final_points(run) if ends(point) == shown_ends(run)]


def activation_widths(runs):
    """Widths of activations that every run's final grid has, the widest first."""
    common = set.intersection(*({point["activations"] for point in compared_points(run)} for run in runs))
    return sorted(common, reverse=True)


def shown_granularity(run):
    """The one granularity that comparisons are made at: per tensor where the final grid has it. TRAINED where it has
    the methods' own quantizers alone."""
    known = [point["granularity"] for point in compared_points(run) if point["granularity"] != TRAINED]
    return "tensor" if "tensor" in known else (known or [TRAINED])[0]


def granularity_text(runs):
    known = sorted({shown_granularity(run) for run in runs} - {TRAINED})
    return f"ranges per {' or '.join(known)}" if known else "quantizers as trained"


def best_by_width(run, activations, only_range=None):
    """{width of the weights: the point with the best range rule} of the final grid, at one granularity and one pair of
    first and last widths.

    only_range keeps to one range rule. Float weights have no rule and no granularity, so they are always there;
    quantizers of the method's own have no other granularity, either.
    """
    best = {}
    for point in compared_points(run):
        width = point["weights"]
        if point["activations"] != activations:
            continue
        if only_range not in (None, point["range"]) and not _fits_any_rule(point, only_range):
            continue
        if width != FLOAT and point["granularity"] not in (TRAINED, shown_granularity(run)):
            continue
        if width not in best or point["value"] > best[width]["value"]:
            best[width] = point
    return dict(sorted(best.items()))
