"""The axes of scripts/growth: what a round's time is measured against, how one point is measured, and slopes.

A slope is that of the line which fits log time on log x best (least squares): 0 is no growth, 1 is linear.
"""
import math
import os
import statistics
from dataclasses import dataclass, replace

from bench_cases import Shape, with_rounds_for

WARM = 2  # first rounds, which are left out: they make what later ones re-use
SLACK = 0.05  # how far a slope may be above what is allowed: turns differ by as much


@dataclass(frozen=True)
class Point:
    x: int | None  # None: the network's parameters, which the program counts
    shape: Shape
    threads: int = 1
    settings: tuple = ()

    def place(self, programs):
        return self.x or programs.parameters(self.shape, *self.settings)

    def sized(self, programs, seconds):
        """The point with as many rounds as take about so long."""
        rate = self.shape.samples / self.milliseconds(programs) * 1000
        fitting = with_rounds_for(self.shape, rate, seconds)
        return replace(self, shape=replace(fitting, rounds=fitting.rounds + WARM))

    def milliseconds(self, programs):
        """Of a round in the middle."""
        return 1000 * statistics.median(programs.run(self.shape, self.threads, *self.settings).rounds[WARM:])


@dataclass(frozen=True)
class Axis:
    name: str
    label: str
    what: str  # is played at each point
    most: float | None  # the slope that is allowed; None: one is measured only
    points: tuple


def registered(clients):
    return Point(clients, Shape("logistic", 2, clients=clients, examples=2, cohort=10, partition="writer"))


def cohort_of(clients):
    return Point(clients, Shape("logistic", 10, clients=1000, examples=10, cohort=clients))


def hidden_layers_of(units):
    return Point(None, Shape("mlp", 32, clients=2, examples=160), settings=(f"model.hidden=[{units}, {units}]",))


def on_threads(threads):
    return Point(threads, Shape("mlp", 10, clients=64, examples=60), threads)


def thread_counts(cores):
    """1, 2, 4 and so on, and all of the machine."""
    return sorted({cores, *(2 ** power for power in range(cores.bit_length()))})


def axes(cores=os.cpu_count()):
    return (
        Axis("clients", "clients registered", "logistic, 10 clients of 2 examples a round, 1 thread", 0,
             tuple(registered(10 ** power) for power in range(2, 7))),
        Axis("cohort", "cohort", "logistic, of 1000 clients with 10 examples, 1 thread", 1,
             tuple(map(cohort_of, (1, 3, 10, 30, 100, 300, 1000)))),
        # Two hidden layers of so many units are 10^4 to 10^7 parameters, half a decade apart.
        Axis("parameters", "parameters", "mlp, 2 clients of 160 examples, batch 32, 1 thread", 1,
             tuple(map(hidden_layers_of, (12, 40, 112, 288, 672, 1424, 2800)))),
        Axis("threads", "threads", "mlp, 64 clients of 60 examples a round, batch 10", None,
             tuple(map(on_threads, thread_counts(cores)))),
    )


def slope(points):
    """Of [{"x", "value"}, ...], to three places; None for less than two points."""
    places, values = ([math.log10(point[key]) for point in points] for key in ("x", "value"))
    return round(statistics.linear_regression(places, values).slope, 3) if len(set(places)) > 1 else None


def last_decade(points):
    """Those that are at most ten times below the last, and a bit: places are round numbers only nearly."""
    return [point for point in points if 11 * point["x"] >= points[-1]["x"]]


def too_steep(most, measured):
    return most is not None and measured is not None and measured > most + SLACK
