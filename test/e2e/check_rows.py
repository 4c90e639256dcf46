"""Compares the numbers that Inputs/call.c prints with NumPy's: check_rows.py NUMBERS EXAMPLES_FOLDER"""

import pathlib
import sys

import numpy

import safetensors_file


def main():
    found = numpy.loadtxt(sys.argv[1], dtype=numpy.float32).reshape(3, 16)
    weights = safetensors_file.load(pathlib.Path(sys.argv[2], "mlp.safetensors"))
    x = numpy.linspace(-1, 1, 48, dtype=numpy.float32).reshape(3, 16)
    normed = x / numpy.sqrt((x * x).mean(-1, keepdims=True) + 1e-5) * weights["norm.weight"]
    inner = normed @ weights["up.weight"].T + weights["up.bias"]
    error = numpy.abs(found - (x + inner / (1 + numpy.exp(-inner)) @ weights["down.weight"].T)).max()
    print(f"largest error {error:.3g}")
    sys.exit(0 if error <= 1e-5 else 1)


if __name__ == "__main__":
    main()
