"""What scripts/bench, scripts/bench_pytorch and scripts/growth share: the shapes that are measured, the programs that
measure them, and how turns become a figure.

A shape is a scenario that the real program runs; grey images are the built-in glyphs, colour ones are random pixels in
CIFAR-10's format, for what they show is no part of any figure here.
"""
import json
import os
import pathlib
import platform
import random
import re
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, replace

ROOT = pathlib.Path(__file__).resolve().parent.parent
RELEASE = ROOT / "build" / "release"
TARGETS = ("anybit-sim", "bench_client")
COLOUR_EXAMPLES = 2600  # of the largest colour shape, and some
COLOUR_BYTES = 3 * 32 * 32


class BenchError(Exception):
    """Why nothing could be measured, and what to do."""


@dataclass(frozen=True)
class Shape:
    """A federation, all that its scenario file needs; every client holds as many examples unless the partition is
    uneven."""
    model: str
    batch: int
    clients: int
    examples: int  # a client, on average
    cohort: int = 0  # 0: all clients
    epochs: int = 1
    rounds: int = 3
    partition: str = "iid"
    alpha: float | None = None  # of the partition, where it has one
    classes: int = 10  # of glyphs
    tests: int = 100  # colour images that a run's end is tested on; there are 5000 test glyphs
    seed: int = 1

    @property
    def is_colour(self):
        return self.model in ("cnn", "resnet20")

    @property
    def samples(self):
        """That a round trains on."""
        return (self.cohort or self.clients) * self.examples * self.epochs

    def scenario(self):
        total = self.clients * self.examples
        data = (f'set = "cifar-10"\nlimit = {total}' if self.is_colour else
                f'set = "glyphs"\nexamples = {self.examples}\nclasses = {self.classes}')
        alpha = "" if self.alpha is None else f", alpha = {self.alpha}"
        return (f'seed = {self.seed}\n[data]\n{data}\nclients = {self.clients}\n'
                f'partition = {{ name = "{self.partition}"{alpha} }}\n'
                f'[model]\nname = "{self.model}"\n'
                f'[training]\nbatch = {self.batch}\nepochs = {self.epochs}\n'
                f'[federation]\nrounds = {self.rounds}\ncohort = {self.cohort or self.clients}\n')


@dataclass(frozen=True)
class Training:
    """A case of training: clients alike and large enough that a round is little else than training."""
    shape: Shape
    tolerance: float = 0.1  # how far a run may be from its clients before the smaller of the two is the figure

    @property
    def name(self):
        return f"{self.shape.model}.{self.shape.batch}"


TRAININGS = (
    Training(Shape("logistic", 10, clients=4, examples=600, epochs=5), tolerance=0.25),
    Training(Shape("mlp", 10, clients=4, examples=600, epochs=5)),
    Training(Shape("lenet", 10, clients=4, examples=600)),
    Training(Shape("lenet", 32, clients=4, examples=640)),
    Training(Shape("cnn", 10, clients=3, examples=600)),
    Training(Shape("resnet20", 32, clients=3, examples=160)),
)


def positive(text):
    """A whole number above 0, for argparse."""
    if (number := int(text)) < 1:
        raise ValueError(text)
    return number


def duration(text):
    """Seconds, above 0 and at most an hour, for argparse."""
    if not 0 < (number := float(text)) <= 3600:
        raise ValueError(text)
    return number


def names(text):
    """Names with commas between them, for argparse."""
    if not all(listed := text.split(",")):
        raise ValueError(text)
    return listed


def fraction(text):
    """A number from 0 on and below 1, for argparse."""
    if not 0 <= (number := float(text)) < 1:
        raise ValueError(text)
    return number


def run_script(main):
    """Runs main(arguments) as a program that Ctrl-C ends without a traceback."""
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        print("stopped; nothing is written", file=sys.stderr)
        sys.exit(130)


def add_options(parser, turns, seconds):
    """The options of everything that measures; `turns` and `seconds` are the defaults."""
    parser.add_argument("--turns", type=positive, default=turns, help="of each case (default: %(default)s)")
    parser.add_argument("--seconds", type=duration, default=seconds,
                        help="of each timing, about (default: %(default)s)")
    parser.add_argument("--isa", default="best", help="kernels: portable, avx2, avx512 or best")
    parser.add_argument("--build", help="a build folder to take the programs from (default: build/release, built)")


def trainings_of(models):
    """The cases of these models, of all where there are none."""
    known = list(dict.fromkeys(case.shape.model for case in TRAININGS))
    if unknown := [model for model in models if model not in known]:
        raise BenchError(f"unknown model {unknown[0]}; known: {', '.join(known)}")
    return [case for case in TRAININGS if not models or case.shape.model in models]


def check_known(cases, programs):
    """BenchError where the program has not all the networks."""
    known = programs.models()
    if unknown := [case.shape.model for case in cases if case.shape.model not in known]:
        raise BenchError(f"anybit-sim has no network {unknown[0]} (it has {', '.join(known)}); name others with --only")


@dataclass(frozen=True)
class Figure:
    """The median of some turns, and how far they were apart."""
    value: float
    least: float
    most: float
    turns: int


def figure(values):
    return Figure(statistics.median(values), min(values), max(values), len(values))


def rounded(value):
    """Four digits: more than any of this repeats to."""
    return float(f"{value:.4g}")


@dataclass(frozen=True)
class Run:
    """What a process of anybit-sim left behind."""
    seconds: float  # of the whole process
    peak_mib: float  # of resident memory
    rounds: list  # seconds of each round, without evaluation

    @property
    def round_seconds(self):
        return statistics.median(self.rounds)


class Programs:
    """The programs that measure, and the folder that they may write to."""

    def __init__(self, build, scratch, isa="best"):
        self.sim, self.client = build / "sim" / "anybit-sim", build / "tests" / "bench" / "bench_client"
        self.scratch, self.isa = pathlib.Path(scratch), isa
        for program in (self.sim, self.client):
            if not os.access(program, os.X_OK):
                raise BenchError(f"{program} is not built; leave --build out, and it is")

    def models(self):
        return [row["name"] for row in json.loads(self._output(self.sim, "list", "models", "--json"))]

    def parameters(self, shape, *settings):
        told = self._output(self.sim, "check", *self._data(shape), *self._set(settings))
        return int(re.search(r"^parameters +(\d+)", told, re.M).group(1))

    def play_clients(self, shape, seconds, *settings):
        """Plays clients on one thread for about so long; what bench_client prints."""
        arguments = [*self._data(shape), "--isa", self.isa, "--seconds", str(seconds), *self._set(settings)]
        return json.loads(self._output(self.client, *arguments))

    def run(self, shape, threads=None, *settings):
        """The scenario by anybit-sim, from nothing to its end; on all threads of the machine where none are said."""
        folder = self.scratch / "run"
        seconds, peak = self._process(self.sim, "run", *self._data(shape), "--out", folder, "--force",
                                      *self._kernels(threads), *self._set(settings))
        lines = (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
        return Run(seconds, peak, [json.loads(line)["seconds"] for line in lines])

    def evaluate_last(self, shape, threads, *arguments):
        """Seconds of the whole process that tests the model that the last run ended in."""
        _, *data = self._data(shape)
        model = self.scratch / "run" / "model.ckpt"
        return self._process(self.sim, "evaluate", model, *data, *self._kernels(threads), *arguments)[0]

    def provenance(self):
        """What figures depend on beside the cases: machine, commit and kernel set."""
        version = re.search(r"\((.*)\)", self._output(self.sim, "--version"))
        return {"machine": {"processor": processor(), "cores": os.cpu_count()},
                "commit": version.group(1) if version else "?",
                "kernel_set": self.play_clients(TRAININGS[0].shape, 0)["kernel_set"]}

    def _data(self, shape):
        """The scenario's file, and options that say where its data lies."""
        file = self.scratch / "shape.toml"
        file.write_text(shape.scenario(), encoding="utf-8")
        if not shape.is_colour:
            return [file]
        folder = self.scratch / f"data-{shape.tests}"
        if not folder.exists():
            write_colour_data(folder / "cifar-10", shape.tests)
        return [file, "--data-dir", folder]

    def _kernels(self, threads):
        return ["--isa", self.isa, *(["--threads", threads] if threads else [])]

    @staticmethod
    def _set(settings):
        return [word for setting in settings for word in ("--set", setting)]

    @staticmethod
    def _output(*command):
        return _checked(subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False),
                        command).stdout

    @staticmethod
    def _process(*command):
        """(seconds, MiB of peak resident memory) of a process."""
        with open(os.devnull, "wb") as nowhere:
            begin = time.perf_counter()
            process = subprocess.Popen([str(word) for word in command], stdout=nowhere, stderr=subprocess.PIPE)
            told = process.stderr.read()
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - begin
            process.stderr.close()
        process.returncode = os.waitstatus_to_exitcode(status)
        _checked(subprocess.CompletedProcess(command, process.returncode, "", told.decode(errors="replace")), command)
        return seconds, usage.ru_maxrss / 1024


def _checked(done, command):
    if done.returncode != 0:
        what = " ".join(str(word) for word in command)
        raise BenchError(f"{what} failed ({done.returncode}):\n{done.stderr.strip()}")
    return done


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        found = re.search(r"^model name\s*: (.*)", lines.read(), re.M)
    return found.group(1) if found else platform.machine()


def write_colour_data(folder, tests):
    """Random pixels as CIFAR-10's binary files: a byte of label, then three planes."""
    folder.mkdir(parents=True)
    draws = random.Random(1)
    for name, count in (("data_batch_1.bin", COLOUR_EXAMPLES), ("test_batch.bin", tests)):
        records = bytearray(draws.randbytes(count * (1 + COLOUR_BYTES)))
        records[::1 + COLOUR_BYTES] = bytes(i % 10 for i in range(count))
        (folder / name).write_bytes(records)


def built(folder=None, targets=TARGETS):
    """The build folder of the programs: the one that was named, or build/release, brought up to date. What the build
    prints goes to standard error."""
    if folder:
        return pathlib.Path(folder).resolve()
    for command in (["cmake", "--preset", "release", "--log-level=WARNING"],
                    ["cmake", "--build", "--preset", "release", "--target", *targets]):
        try:
            code = subprocess.run(command, cwd=ROOT, stdout=sys.stderr, check=False).returncode
        except FileNotFoundError:
            code = 127
        if code != 0:
            raise BenchError(f"{' '.join(command)} failed ({code}); scripts/packages --install installs what a build "
                             "needs")
    return RELEASE


def with_rounds_for(shape, rate, seconds):
    """The shape with as many rounds as take about `seconds` at `rate` samples per second; three at least."""
    return replace(shape, rounds=max(3, min(1000, round(seconds * rate / shape.samples))))
