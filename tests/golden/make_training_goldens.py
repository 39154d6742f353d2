#!/usr/bin/python3
"""Writes training_goldens.txt: short training runs by PyTorch in float64, of mlp, lenet, cnn without its dropout,
resnet8, and a small network of grouped and depthwise convolutions with BatchNorm ("separable").

Run: /usr/bin/python3 tests/golden/make_training_goldens.py        (some seconds)

A float32 run can only agree with a float64 run while no ReLU and no maximum decides differently. So each example of
each step is drawn anew until every |pre-activation| and, in every pooling window with a positive maximum, the lead of
the largest value over the second is above MARGIN; the accepted seeds are in the file. Where BatchNorm joins the
examples of a batch, the batch is drawn anew. Initial parameters and images come from hash_numbers.py, in anybit's
order: convolution weights [out][in / groups][height][width], dense weights [in][out], or [out][in] for at most 16
outputs, images and inputs of dense layers NHWC.

Lines:  RUN.seeds          one seed per step and example
        RUN.losses         mean loss of each step, before its update
        RUN.margin         smallest margin over all steps
        RUN.inference      outputs of the trained network for the last step's images, where it has BatchNorm: by its
                           running statistics
        RUN.TENSOR.start   size, offset, exponent e: element i starts at offset + 2^e * numbers(stream, size)[i],
                           stream = 1 + position of the tensor in the run
        RUN.TENSOR.end     largest |value|, largest |value - start|, then two sums of each of n = min(size, BLOCKS)
                           blocks, block k from floor(k * size / n) to floor((k + 1) * size / n). Every element is in
                           both, its sign by the lowest and the second lowest bit of words(SIGNS, size): 1 is minus.
"""

import math
import os
import sys

import numpy as np
import torch
from torch.nn import functional

from hash_numbers import numbers, words

HERE = os.path.dirname(os.path.abspath(__file__))
MARGIN = 1e-5
BLOCKS = 256
SIGNS = 99
CLASSES = 10
STATISTICS = (".mean", ".square")
RATE = 0.05
torch.set_num_threads(1)


class Margin:
    """The smallest distance of any decision from flipping. Says also what a norm does: "look" (normalise by the batch),
    "train" (and update the running statistics) or "infer" (normalise by these)."""

    def __init__(self, norms="look"):
        self.value = math.inf
        self.norms = norms

    def relu(self, x):
        self.value = min(self.value, x.detach().abs().min().item())
        return torch.relu(x)

    def pool(self, x):
        windows = x.detach().unfold(2, 2, 2).unfold(3, 2, 2).flatten(4)
        top = windows.topk(2, dim=4).values
        lead = (top[..., 0] - top[..., 1])[top[..., 0] > 0]
        self.value = min(self.value, lead.min().item())
        return functional.max_pool2d(x, 2)


def batch_norm(p, name, x, margin):
    """Running mean and mean of squares, momentum 0.1; the first is checked against PyTorch's own."""
    scale, shift, mean, square = (p[name + part] for part in (".scale", ".shift", ".mean", ".square"))
    if margin.norms == "infer":
        return functional.batch_norm(x, mean, (square - mean**2).clamp(min=0), scale, shift, False, 0.1, 1e-5)
    running = mean.clone()
    y = functional.batch_norm(x, running, torch.ones_like(mean), scale, shift, True, 0.1, 1e-5)
    if margin.norms == "train":
        with torch.no_grad():
            mean.mul_(0.9).add_(0.1 * x.mean((0, 2, 3)))
            square.mul_(0.9).add_(0.1 * (x**2).mean((0, 2, 3)))
        assert torch.allclose(mean, running)
    return y


def dense(p, name, x):
    """x is rows x inputs in NHWC order."""
    weight, bias = p[name + ".weight"], p[name + ".bias"]
    return x @ (weight if bias.numel() > 16 else weight.T) + bias


def flat(x):
    return x.permute(0, 2, 3, 1).flatten(1)


def mlp(p, x, margin):
    x = margin.relu(dense(p, "dense1", flat(x)))
    x = margin.relu(dense(p, "dense2", x))
    return dense(p, "dense3", x)


def lenet(p, x, margin):
    x = margin.pool(margin.relu(functional.conv2d(x, p["conv1.weight"], p["conv1.bias"])))
    x = margin.pool(margin.relu(functional.conv2d(x, p["conv2.weight"], p["conv2.bias"])))
    x = margin.relu(dense(p, "dense1", flat(x)))
    return dense(p, "dense2", x)


def cnn(p, x, margin):
    x = margin.relu(functional.conv2d(x, p["conv1.weight"], p["conv1.bias"]))
    x = margin.pool(margin.relu(functional.conv2d(x, p["conv2.weight"], p["conv2.bias"])))
    x = margin.relu(dense(p, "dense1", flat(x)))
    return dense(p, "dense2", x)


# name, channels in and out, kernel, stride, padding, groups
SEPARABLE = [("conv1", 3, 8, 3, 1, 1, 1), ("conv2", 8, 8, 3, 2, 1, 8), ("conv3", 8, 16, 1, 1, 0, 1),
             ("conv4", 16, 32, 3, 2, 1, 4)]


def separable(p, x, margin):
    for name, _, _, _, stride, padding, groups in SEPARABLE:
        x = functional.conv2d(x, p[name + ".weight"], stride=stride, padding=padding, groups=groups)
        x = margin.relu(batch_norm(p, name.replace("conv", "norm"), x, margin))
    return dense(p, "dense", x.mean((2, 3)))


def norm_conv(p, number, x, stride):
    x = functional.conv2d(x, p["conv%d.weight" % number], stride=stride, padding=1)
    return functional.group_norm(x, 2, p["norm%d.scale" % number], p["norm%d.shift" % number], 1e-5)


def resnet8(p, x, margin):
    x = margin.relu(norm_conv(p, 1, x, 1))
    for stage in range(3):
        stride, channels = (1 if stage == 0 else 2), 16 << stage
        y = margin.relu(norm_conv(p, 2 + 2 * stage, x, stride))
        y = norm_conv(p, 3 + 2 * stage, y, 1)
        shortcut = functional.pad(x[:, :, ::stride, ::stride], (0, 0, 0, 0, 0, channels - x.shape[1]))
        x = margin.relu(y + shortcut)
    return dense(p, "dense", x.mean((2, 3)))


def dense_shapes(name, inputs, outputs):
    return [(name + ".weight", (inputs, outputs) if outputs > 16 else (outputs, inputs)), (name + ".bias", (outputs,))]


def resnet8_shapes():
    shapes, inputs = [], 3
    for number in range(1, 8):
        channels = 16 << max(0, (number - 2) // 2)
        shapes += [("conv%d.weight" % number, (channels, inputs, 3, 3)), ("norm%d.scale" % number, (channels,)),
                   ("norm%d.shift" % number, (channels,))]
        inputs = channels
    return shapes + dense_shapes("dense", 64, CLASSES)


def separable_shapes():
    shapes = []
    for name, inputs, channels, kernel, _, _, groups in SEPARABLE:
        shapes += [(name + ".weight", (channels, inputs // groups, kernel, kernel))]
        shapes += [(name.replace("conv", "norm") + part, (channels,)) for part in (".scale", ".shift") + STATISTICS]
    return shapes + dense_shapes("dense", 32, CLASSES)


CNN_SHAPES = ([("conv1.weight", (32, 3, 3, 3)), ("conv1.bias", (32,)), ("conv2.weight", (64, 32, 3, 3)),
               ("conv2.bias", (64,))] + dense_shapes("dense1", 1024, 128) + dense_shapes("dense2", 128, CLASSES))
LENET_SHAPES = ([("conv1.weight", (32, 1, 5, 5)), ("conv1.bias", (32,)), ("conv2.weight", (64, 32, 5, 5)),
                 ("conv2.bias", (64,))] + dense_shapes("dense1", 1024, 512) + dense_shapes("dense2", 512, CLASSES))
MLP_SHAPES = dense_shapes("dense1", 784, 200) + dense_shapes("dense2", 200, 200) + dense_shapes("dense3", 200, CLASSES)

# run -> (network, tensors, image height = width, channels, batch, steps, momentum)
RUNS = {
    "mlp": (mlp, MLP_SHAPES, 28, 1, 8, 20, 0.0),
    "mlp_momentum": (mlp, MLP_SHAPES, 28, 1, 8, 12, 0.9),
    "lenet": (lenet, LENET_SHAPES, 28, 1, 4, 12, 0.0),
    "resnet8": (resnet8, resnet8_shapes(), 32, 3, 4, 12, 0.0),
    "cnn": (cnn, CNN_SHAPES, 12, 3, 4, 12, 0.0),
    "separable": (separable, separable_shapes(), 9, 3, 6, 12, 0.9),
}


def fan_in(name, shape):
    if len(shape) == 4:
        return shape[1] * shape[2] * shape[3]
    return shape[1] if shape[0] <= 16 else shape[0]  # few outputs: [out][in]; no layer here has few inputs


def start_values(shapes):
    """name -> (offset, exponent): about PyTorch's default bounds, as powers of two."""
    result, exponent = {}, 0
    for name, shape in shapes:
        if name.endswith(".weight"):
            exponent = math.floor(math.log2(1.0 / math.sqrt(fan_in(name, shape))))
        norm = name.startswith("norm")
        result[name] = (1.0 if name.endswith((".scale", ".square")) else 0.0, -2 if norm else exponent)
    return result


def image(seed, size, channels):
    pixels = torch.tensor(numbers(seed, size * size * channels)).reshape(1, size, size, channels)
    return pixels.permute(0, 3, 1, 2), int(words(seed + 1, 1)[0]) % CLASSES


def safe_examples(network, parameters, size, channels, seed, count):
    """The first `count` examples together from `seed` on that keep the margin: (seeds, images, labels, margin)."""
    while True:
        seeds = [seed + 2 * k for k in range(count)]
        images, labels = zip(*(image(s, size, channels) for s in seeds))
        margin = Margin()
        with torch.no_grad():
            network(parameters, torch.cat(images), margin)
        if margin.value > MARGIN:
            return seeds, images, labels, margin.value
        seed += 2


def train(out, run):
    network, shapes, size, channels, batch, steps, momentum = RUNS[run]
    start = start_values(shapes)
    parameters = {}
    for position, (name, shape) in enumerate(shapes):
        offset, exponent = start[name]
        value = offset + 2.0**exponent * numbers(1 + position, math.prod(shape))
        parameters[name] = torch.tensor(value.reshape(shape))
    learnt = [value.requires_grad_() for name, value in parameters.items() if not name.endswith(STATISTICS)]
    joined = len(learnt) < len(parameters)  # by BatchNorm
    optimizer = torch.optim.SGD(learnt, lr=RATE, momentum=momentum)
    seeds, losses, smallest, next_seed = [], [], math.inf, 1000
    for _ in range(steps):
        images, labels = [], []
        for _ in range(1 if joined else batch):
            found = safe_examples(network, parameters, size, channels, next_seed, batch if joined else 1)
            seeds += found[0]
            images += found[1]
            labels += found[2]
            smallest, next_seed = min(smallest, found[3]), seeds[-1] + 2
        optimizer.zero_grad()
        loss = functional.cross_entropy(network(parameters, torch.cat(images), Margin("train")), torch.tensor(labels))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    write(out, run, seeds, losses, smallest, start, parameters)
    if joined:
        with torch.no_grad():
            write_line(out, run, "inference", network(parameters, torch.cat(images), Margin("infer")).flatten())


def block_sums(values):
    size = len(values)
    count = min(size, BLOCKS)
    begins = [k * size // count for k in range(count)]
    bits = words(SIGNS, size)
    sums = [np.add.reduceat(values * (1.0 - 2.0 * (bits >> which & 1)), begins) for which in (0, 1)]
    return np.stack(sums, axis=1).flatten()


def write_line(out, run, name, values):
    out.write("%s.%s %s\n" % (run, name, " ".join("%.10g" % v for v in values)))


def write(out, run, seeds, losses, smallest, start, parameters):
    def line(name, values):
        write_line(out, run, name, values)

    line("seeds", seeds)
    line("losses", losses)
    line("margin", [smallest])
    streams = {name: 1 + position for position, name in enumerate(parameters)}
    for name, tensor in parameters.items():
        values = tensor.detach().flatten().numpy()
        size = len(values)
        offset, exponent = start[name]
        move = np.abs(values - (offset + 2.0**exponent * numbers(streams[name], size))).max()
        line(name + ".start", [size, offset, exponent])
        line(name + ".end", [np.abs(values).max(), move, *block_sums(values)])


def main():
    with open(os.path.join(HERE, "training_goldens.txt"), "w") as out:
        out.write("# Written by tests/golden/make_training_goldens.py: PyTorch %s, float64, Python %s.\n"
                  % (torch.__version__, sys.version.split()[0]))
        for run in RUNS:
            train(out, run)
            print(run, "done")


if __name__ == "__main__":
    main()
