"""What rounds have cost, from the records of metrics.jsonl (docs/metrics.md): virtual time, energy and bytes.

Older files, and runs whose devices take no time, have bytes only.
"""
import itertools
import json
import math
from typing import NamedTuple


class Spent(NamedTuple):
    """From the run's beginning until a round was over; None: the file does not say."""
    time: float | None = None  # virtual seconds
    energy: float | None = None  # joules, of all devices
    bytes: int | None = None  # down and up


def _is_amount(value):
    return type(value) in (int, float) and math.isfinite(value) and value >= 0


def check(record):
    """ValueError where what a round cost is no amount."""
    for key in ("time", "bytes_down", "bytes_up"):
        if key in record and not _is_amount(record[key]):
            raise ValueError(f"{key} is {json.dumps(record[key])}, but must be a number from 0 on")
    energy = record.get("energy", {})
    if not isinstance(energy, dict) or not all(map(_is_amount, energy.values())):
        raise ValueError("energy is no table of classes and joules")
    wasted = record.get("wasted", {})
    if not isinstance(wasted, dict) or not _is_amount(wasted.get("energy", 0)):
        raise ValueError("wasted is no table with joules as its energy")


def _of_round(record):
    is_counted = "bytes_down" in record and "bytes_up" in record
    return Spent(record.get("time"), sum(record["energy"].values()) if "energy" in record else None,
                 record["bytes_down"] + record["bytes_up"] if is_counted else None)


def _and_then(before, after):
    """Time is told from the run's beginning, the others for each round."""
    energy, bytes_ = (then if so_far is None else so_far + (then or 0)
                      for so_far, then in zip(before[1:], after[1:]))
    return Spent(after.time, energy, bytes_)


def running_totals(records):
    """What was spent until the end of each record's round."""
    return list(itertools.accumulate(map(_of_round, records), _and_then))


def energy_by_class(records):
    """{class: joules} of the whole run, in the order in which classes come."""
    total = {}
    for record in records:
        for name, energy in record.get("energy", {}).items():
            total[name] = total.get(name, 0) + energy
    return total


def wasted_energy(records):
    """Joules of tasks whose update did not count."""
    return sum(record.get("wasted", {}).get("energy", 0) for record in records)
