#!/usr/bin/python3
"""Trains a network of the benchmarks in PyTorch, on one thread: scripts/bench_pytorch starts it and asks for turns.

pytorch_steps.py MODEL BATCH prints a JSON object about this PyTorch, then waits: for each line of standard input, a
number of seconds, it takes steps for about so long (forward, cross entropy, backward, SGD, on one fixed batch in
memory) and prints their samples per second.

OMP_NUM_THREADS=1 and OPENBLAS_NUM_THREADS=1 must stand in the environment: set_num_threads(1) does not hold OpenBLAS.
"""
import json
import os
import re
import statistics
import sys
import time

import torch
from torch import nn

CLASSES = 10
RATE = 0.05
LEAST_TIMED = 0.02  # seconds; steps are timed in groups that take at least so long
GROUPS = 2  # of GroupNorm


def logistic():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, CLASSES))


def mlp():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 200), nn.ReLU(), nn.Linear(200, 200), nn.ReLU(),
                         nn.Linear(200, CLASSES))


def lenet():
    return nn.Sequential(nn.Conv2d(1, 32, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 5), nn.ReLU(),
                         nn.MaxPool2d(2), nn.Flatten(), nn.Linear(1024, 512), nn.ReLU(), nn.Linear(512, CLASSES))


def cnn():
    return nn.Sequential(nn.Conv2d(3, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Dropout(0.25), nn.Flatten(), nn.Linear(12544, 128), nn.ReLU(), nn.Dropout(0.5),
                         nn.Linear(128, CLASSES))


def _convolution(inputs, outputs, stride):
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.GroupNorm(GROUPS, outputs))


class ResidualBlock(nn.Module):
    """Two convolutions around a shortcut of option A: every second pixel, missing channels zero."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.first, self.second = _convolution(inputs, outputs, stride), _convolution(outputs, outputs, 1)
        self.stride, self.added = stride, outputs - inputs

    def forward(self, entry):
        branch = self.second(torch.relu(self.first(entry)))
        if self.stride > 1:
            entry = nn.functional.pad(entry[:, :, ::self.stride, ::self.stride], (0, 0, 0, 0, 0, self.added))
        return torch.relu(branch + entry)


def resnet20():
    blocks, inputs = [], 16
    for outputs in (16, 32, 64):
        for _ in range(3):
            blocks.append(ResidualBlock(inputs, outputs, 1 if outputs == inputs else 2))
            inputs = outputs
    return nn.Sequential(_convolution(3, 16, 1), nn.ReLU(), *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                         nn.Linear(64, CLASSES))


GREY, COLOUR = (1, 28, 28), (3, 32, 32)
NETWORKS = {"logistic": (logistic, GREY), "mlp": (mlp, GREY), "lenet": (lenet, GREY), "cnn": (cnn, COLOUR),
            "resnet20": (resnet20, COLOUR)}


class Training:
    """A network and a fixed batch of random images."""

    def __init__(self, model, batch):
        torch.manual_seed(1)
        make, image = NETWORKS[model]
        self.network = make().train()
        self.optimizer = torch.optim.SGD(self.network.parameters(), lr=RATE)
        self.loss = nn.CrossEntropyLoss()
        self.images, self.labels = torch.randn(batch, *image), torch.randint(0, CLASSES, (batch,))

    def step(self):
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss(self.network(self.images), self.labels)
        loss.backward()
        self.optimizer.step()
        return loss

    def _seconds(self, steps):
        begin = time.perf_counter()
        for _ in range(steps):
            self.step()
        return time.perf_counter() - begin

    def samples_per_second(self, seconds):
        """The median over groups of steps, as ours is over clients."""
        group = 1
        while (took := self._seconds(group)) < LEAST_TIMED:
            group *= 2
        times, end = [], time.perf_counter() + seconds
        while not times or time.perf_counter() < end:
            times.append(self._seconds(group))
        return len(self.labels) * group / statistics.median(times)

    def parameters(self):
        return sum(tensor.numel() for tensor in self.network.parameters())


def blas():
    """The file of the matrix library that PyTorch found here."""
    with open("/proc/self/maps", encoding="utf-8") as maps:
        files = {os.path.realpath(line.split()[-1]) for line in maps if re.search(r"/lib(open)?blas", line)}
    return " ".join(sorted(files)) or "none"


def build(parameters):
    config = torch.__config__.show()
    capability = re.search(r"CPU capability usage: (\S+)", config)
    onednn = re.search(r"MKL-DNN v(\S+)", config)
    return {"version": torch.__version__, "capability": capability.group(1) if capability else "?",
            "onednn": onednn.group(1) if onednn else "none", "blas": blas(), "threads": torch.get_num_threads(),
            "parameters": parameters}


def main(model, batch):
    torch.set_num_threads(1)
    training = Training(model, int(batch))
    print(json.dumps(build(training.parameters())), flush=True)
    for line in sys.stdin:
        print(training.samples_per_second(float(line)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
