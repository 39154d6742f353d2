"""The benchmarks of scripts/bench: what each case is, and how one turn of it is measured.

A measurement is a function that takes the programs and about how many seconds a part of it may last, and gives the
values of one turn by the case's name. What is compared with something is measured beside it, in the same turn.
"""
from dataclasses import dataclass

from bench_cases import TRAININGS, Shape, with_rounds_for


@dataclass(frozen=True)
class Case:
    unit: str
    higher_is_better: bool
    must: float | None = None  # a figure that is required
    aim: float | None = None  # one that is worth going for


LENET = Shape("lenet", 32, clients=4, examples=640)
TWO_CLIENTS = {model: Shape(model, 10, clients=2, examples=600) for model in ("lenet", "cnn")}
# Clients of 1515, 150 and 135 examples.
SKEWED = Shape("lenet", 10, clients=3, examples=600, partition="dirichlet", alpha=0.3, classes=2, seed=29)
LR_MNIST = Shape("logistic", 10, clients=1000, examples=60, cohort=10, rounds=500)
MLP = Shape("mlp", 32, clients=10, examples=600, rounds=20)
CNN_CIFAR = Shape("cnn", 10, clients=50, examples=50)
RESNET = Shape("resnet20", 32, clients=3, examples=64, rounds=1, tests=10_000)
START = Shape("mlp", 32, clients=100, examples=100, cohort=10, rounds=1)
LONG = Shape("mlp", 32, clients=1000, examples=20, cohort=4, rounds=1000, partition="writer")
SHORT_ROUNDS = 50
QUANTIZED = 'training.method={{ name = "qat", width = 4, activations = 4, range = "{}" }}'

CASES = {
    **{f"train.{case.name}": Case("samples/s per thread", True) for case in TRAININGS},
    "quantize.lenet.32.minmax": Case("time of a W4A4 step over a float one", False, 1.12, 1.05),
    "quantize.lenet.32.mse": Case("time of a W4A4 step over a float one", False, 1.12, 1.05),
    "threads.lenet.10": Case("two clients, speed of two threads over one", True, 1.8, 1.9),
    "threads.cnn.10": Case("two clients, speed of two threads over one", True, 1.6, 1.9),
    "threads.skewed.lenet.10": Case("one client ten times the others, speed of two threads over one", True, 1.5),
    "round.logistic.10of1000x60": Case("ms", False, 0.6, 0.2),
    "round.mlp.10x600": Case("ms", False, 35, 22),
    "round.cnn.50x50": Case("ms", False, 1100, 600),
    "evaluate.resnet20.10000.w4": Case("s", False, 4, 2.5),
    "start.mlp": Case("s, whole process of one round and the test of its model", False, 0.4, 0.15),
    "start.mlp.round": Case("s, that round alone", False),
    "memory.mlp": Case("MiB at most, 1000 rounds", False),
    "memory.mlp.rounds": Case("memory of 1000 rounds over 50", False, 1.05),
    "memory.mlp.clients": Case("memory of 1,000,000 clients over 1000", False, 1.05),
}


def training(case):
    def turn(programs, seconds):
        return {f"train.{case.name}": programs.play_clients(case.shape, seconds)["samples_per_second"]}
    return turn


def quantization(programs, seconds):
    plain = programs.play_clients(LENET, seconds)["samples_per_second"]
    return {f"quantize.lenet.32.{rule}":
            plain / programs.play_clients(LENET, seconds, QUANTIZED.format(rule))["samples_per_second"]
            for rule in ("minmax", "mse")}


def speed_of_two(programs, shape):
    return programs.run(shape, 1).round_seconds / programs.run(shape, 2).round_seconds


def two_threads(model):
    def turn(programs, seconds):
        shape = TWO_CLIENTS[model]
        rate = programs.play_clients(shape, seconds / 4)["samples_per_second"]
        return {f"threads.{model}.10": speed_of_two(programs, with_rounds_for(shape, rate, 2 * seconds))}
    return turn


def skewed(programs, seconds):
    rate = programs.play_clients(TWO_CLIENTS["lenet"], seconds / 4)["samples_per_second"]
    return {"threads.skewed.lenet.10": speed_of_two(programs, with_rounds_for(SKEWED, rate, 2 * seconds))}


def rounds(name, shape):
    def turn(programs, _):
        return {name: 1000 * programs.run(shape).round_seconds}
    return turn


def evaluation(programs, _):
    programs.run(RESNET)
    return {"evaluate.resnet20.10000.w4": programs.evaluate_last(RESNET, 2, "--weights", "4")}


def start(programs, _):
    run = programs.run(START)
    return {"start.mlp": run.seconds, "start.mlp.round": run.rounds[0]}


def memory(programs, _):
    long = programs.run(LONG).peak_mib
    short = programs.run(LONG, None, f"federation.rounds={SHORT_ROUNDS}").peak_mib
    million = programs.run(LONG, None, f"federation.rounds={SHORT_ROUNDS}", "data.clients=1000000").peak_mib
    return {"memory.mlp": long, "memory.mlp.rounds": long / short, "memory.mlp.clients": million / short}


# (network that it needs, name, function of one turn)
MEASUREMENTS = [
    *((case.shape.model, f"train.{case.name}", training(case)) for case in TRAININGS),
    ("lenet", "quantize.lenet.32", quantization),
    ("lenet", "threads.lenet.10", two_threads("lenet")),
    ("cnn", "threads.cnn.10", two_threads("cnn")),
    ("lenet", "threads.skewed.lenet.10", skewed),
    ("logistic", "round.logistic.10of1000x60", rounds("round.logistic.10of1000x60", LR_MNIST)),
    ("mlp", "round.mlp.10x600", rounds("round.mlp.10x600", MLP)),
    ("cnn", "round.cnn.50x50", rounds("round.cnn.50x50", CNN_CIFAR)),
    ("resnet20", "evaluate.resnet20.10000", evaluation),
    ("mlp", "start.mlp", start),
    ("mlp", "memory.mlp", memory),
]
