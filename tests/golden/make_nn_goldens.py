#!/usr/bin/python3
"""Writes nn_goldens.txt: softmax cross entropy and optimiser steps, computed by PyTorch in float64.

Run: /usr/bin/python3 tests/golden/make_nn_goldens.py
"""

import os
import sys

import torch

from hash_numbers import numbers, words

HERE = os.path.dirname(os.path.abspath(__file__))

# name -> (torch optimiser, its options, largest gradient norm or None)
OPTIMIZERS = {
    "sgd": (torch.optim.SGD, dict(lr=0.05), None),
    "sgd_momentum_decay": (torch.optim.SGD, dict(lr=0.05, momentum=0.9, weight_decay=0.01), None),
    "sgd_nesterov": (torch.optim.SGD, dict(lr=0.05, momentum=0.9, nesterov=True), None),
    "sgd_clip_decay": (torch.optim.SGD, dict(lr=0.05, weight_decay=0.01), 0.5),
    "adam": (torch.optim.Adam, dict(lr=0.01), None),
    "adam_all": (torch.optim.Adam, dict(lr=0.01, betas=(0.5, 0.9), eps=1e-3, weight_decay=0.01), 0.5),
}
# size, rate multiplier, decay or not: the groups of tests/nn/optimizers/optimizers_test.cpp
GROUPS = [(19, 1.0, True), (5, 1.0, True), (7, 0.5, False), (3, 0.0, True)]
STEPS = 5


def line(out, name, values):
    out.write(name + " " + " ".join("%.17g" % float(v) for v in values) + "\n")


def cross_entropy(out, name, rows, classes, stream):
    logits = torch.tensor(8.0 * numbers(stream, rows * classes).reshape(rows, classes), requires_grad=True)
    labels = torch.tensor(words(stream + 1, rows) % classes)
    loss = torch.nn.functional.cross_entropy(logits, labels)
    loss.backward()
    line(out, "cross_entropy." + name + ".loss", [loss])
    line(out, "cross_entropy." + name + ".gradient", logits.grad.flatten())
    line(out, "cross_entropy." + name + ".correct", [(logits.argmax(1) == labels).sum()])


def optimizer_steps(out, name):
    kind, options, clip = OPTIMIZERS[name]
    tensors = [torch.tensor(numbers(100 + k, size), requires_grad=True) for k, (size, _, _) in enumerate(GROUPS)]
    groups = []
    for tensor, (_, rate, decay) in zip(tensors, GROUPS):
        group = dict(params=[tensor], lr=options["lr"] * rate)
        if not decay:
            group["weight_decay"] = 0.0
        groups.append(group)
    trained = [k for k, group in enumerate(GROUPS) if group[1] != 0.0]
    optimizer = kind([groups[k] for k in trained], **options)
    for step in range(STEPS):
        for k, (size, _, _) in enumerate(GROUPS):
            tensors[k].grad = torch.tensor(numbers(200 + 10 * step + k, size))
        if clip is not None:
            torch.nn.utils.clip_grad_norm_([tensors[k] for k in trained], clip)
        optimizer.step()
    line(out, "optimizer." + name, torch.cat(tensors).detach())


def main():
    with open(os.path.join(HERE, "nn_goldens.txt"), "w") as out:
        out.write("# Written by tests/golden/make_nn_goldens.py: PyTorch %s, float64, Python %s.\n"
                  % (torch.__version__, sys.version.split()[0]))
        cross_entropy(out, "small", 5, 3, 10)
        cross_entropy(out, "ten", 4, 10, 20)
        cross_entropy(out, "wide", 3, 62, 30)
        for name in OPTIMIZERS:
            optimizer_steps(out, name)


if __name__ == "__main__":
    main()
