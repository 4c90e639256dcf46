"""The network of Inputs/images.qn in NumPy, in double precision: `weights FILE SCALE` writes random weights, with or without a
scale in the batch norms; `check BINARY FILE INCLUDE_PAD` runs the compiled network on random images and compares."""

import sys

import numpy
from numpy.lib.stride_tricks import sliding_window_view

import model
import safetensors_file

EPS = 1e-3
TOLERANCE = 1e-5

# Units by name: inputs, outputs, kernel, stride, pad.
UNITS = {"stem": (3, 8, (3, 3), 2, (0, 0))}
BLOCK_A = {"branch1x1": (8, 64, (1, 1)), "branch5x5_1": (8, 48, (1, 1)), "branch5x5_2": (48, 64, (5, 5)),
           "branch3x3dbl_1": (8, 64, (1, 1)), "branch3x3dbl_2": (64, 96, (3, 3)), "branch3x3dbl_3": (96, 96, (3, 3)),
           "branch_pool": (8, 16, (1, 1))}
BLOCK_B = {"branch3x3": (240, 384, (3, 3), 2), "branch3x3dbl_1": (240, 64, (1, 1)), "branch3x3dbl_2": (64, 96, (3, 3)),
           "branch3x3dbl_3": (96, 96, (3, 3), 2)}
BLOCK_C = {"branch1x1": (720, 192, (1, 1)), "branch7x7_1": (720, 24, (1, 1)), "branch7x7_2": (24, 24, (1, 7)),
           "branch7x7_3": (24, 192, (7, 1)), "branch7x7dbl_1": (720, 24, (1, 1)), "branch7x7dbl_2": (24, 24, (7, 1)),
           "branch7x7dbl_3": (24, 24, (1, 7)), "branch7x7dbl_4": (24, 24, (7, 1)), "branch7x7dbl_5": (24, 192, (1, 7)),
           "branch_pool": (720, 192, (1, 1))}
for prefix, block in ("a", BLOCK_A), ("b", BLOCK_B), ("c", BLOCK_C):
    for name, (inputs, outputs, kernel, *stride) in block.items():
        # Units of stride 1 keep the size, those of stride 2 have no padding.
        pad = (0, 0) if stride else (kernel[0] // 2, kernel[1] // 2)
        UNITS[f"{prefix}.{name}"] = (inputs, outputs, kernel, stride[0] if stride else 1, pad)


def write_weights(path, scale):
    random = numpy.random.RandomState(7)
    tensors = {"fc.weight": random.normal(0, 0.1, (10, 768)), "fc.bias": random.normal(0, 0.1, 10)}
    for name, (inputs, outputs, kernel, _, _) in UNITS.items():
        fan = inputs * kernel[0] * kernel[1]
        tensors[name + ".conv.weight"] = random.normal(0, (2 / fan) ** 0.5, (outputs, inputs, *kernel))
        tensors[name + ".bn.bias"] = random.normal(0, 0.2, outputs)
        tensors[name + ".bn.running_mean"] = random.normal(0, 0.2, outputs)
        tensors[name + ".bn.running_var"] = random.uniform(0.5, 2, outputs)
        if scale:
            tensors[name + ".bn.weight"] = random.uniform(0.5, 1.5, outputs)
    safetensors_file.save(path, {name: array.astype(numpy.float32) for name, array in tensors.items()})


def windows(x, kernel, stride, pad, value):
    """[n, c, y, x, ky, kx]"""
    x = numpy.pad(x, ((0, 0), (0, 0), (pad[0], pad[0]), (pad[1], pad[1])), constant_values=value)
    return sliding_window_view(x, kernel, (2, 3))[:, :, ::stride, ::stride]


def unit(x, name, weights):
    _, outputs, kernel, stride, pad = UNITS[name]
    y = numpy.einsum("ncyxij,ocij->noyx", windows(x, kernel, stride, pad, 0.0), weights[name + ".conv.weight"], optimize=True)
    column = lambda part: weights[f"{name}.bn.{part}"].reshape(1, outputs, 1, 1)
    y = (y - column("running_mean")) / numpy.sqrt(column("running_var") + EPS)
    if name + ".bn.weight" in weights:
        y = y * column("weight")
    return numpy.maximum(y + column("bias"), 0)


def smooth(x, include_pad):
    count = 9 if include_pad else windows(numpy.ones_like(x), (3, 3), 1, (1, 1), 0.0).sum((4, 5))
    return windows(x, (3, 3), 1, (1, 1), 0.0).sum((4, 5)) / count


def halve(x):
    return windows(x, (3, 3), 2, (0, 0), -numpy.inf).max((4, 5))


def forward(x, weights, include_pad):
    def chain(x, prefix, *names):
        for name in names:
            x = unit(x, f"{prefix}.{name}", weights)
        return x

    x = unit(x, "stem", weights)
    double = ["branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"]
    x = numpy.concatenate([chain(x, "a", "branch1x1"), chain(x, "a", "branch5x5_1", "branch5x5_2"), chain(x, "a", *double),
                           chain(smooth(x, include_pad), "a", "branch_pool")], 1)
    x = numpy.concatenate([chain(x, "b", "branch3x3"), chain(x, "b", *double), halve(x)], 1)
    x = numpy.concatenate([chain(x, "c", "branch1x1"), chain(x, "c", *(f"branch7x7_{i}" for i in range(1, 4))),
                           chain(x, "c", *(f"branch7x7dbl_{i}" for i in range(1, 6))),
                           chain(smooth(x, include_pad), "c", "branch_pool")], 1)
    return x.mean((2, 3)) @ weights["fc.weight"].T + weights["fc.bias"]


def check(binary, path, include_pad):
    weights = {name: value.astype(numpy.float64) for name, value in safetensors_file.load(path).items()}
    images = numpy.random.RandomState(8).normal(0, 1, (3, 3, 23, 23)).astype(numpy.float32)
    expected = forward(images.astype(numpy.float64), weights, include_pad)
    rows = []
    for batch in (3, 1):
        rows.append(model.logits_of_images(binary, images[:batch]))
        error = numpy.abs(rows[-1] - expected[:batch]).max() / numpy.abs(expected).max()
        assert error <= TOLERANCE, f"batch {batch}: found an error of {error}, expected at most {TOLERANCE}"
    assert (rows[0][:1] == rows[1]).all(), "an image alone has other bits than among others"


if __name__ == "__main__":
    action, *arguments, flag = sys.argv[1:]
    {"weights": write_weights, "check": check}[action](*arguments, flag == "true")
