"""Compares the guesses of a compiled Medusa model with NumPy's, in double precision, of the same hidden rows.

    check_medusa_heads.py BINARY HEADS.safetensors EXPECTED.safetensors HEADS LAYERS [--output WEIGHTS.safetensors NAME]

The logits are those of EXPECTED, within 1e-4; of every guess, and of the likeliest token of that rank, the logits are within
1e-4, and guesses of equal logits ascend. `--output` is the matrix that heads without one of their own end in, and which the
logits are the product with.
"""

import argparse
import sys

import numpy

import medusa_model
import safetensors_file


def head_logits(tensors, prefix, hidden, head, layers, output):
    """What head `head` makes of hidden rows: f64 [n, vocabulary]."""
    h = hidden.astype(numpy.float64)
    for layer in range(layers):
        weight, bias = (tensors[f"{prefix}{head}.{layer}.linear.{part}"].astype(numpy.float64) for part in ("weight", "bias"))
        y = h @ weight.T + bias
        h = h + y / (1 + numpy.exp(-y))
    weight = tensors[f"{prefix}{head}.{layers}.weight"] if output is None else output
    return h @ weight.T.astype(numpy.float64)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("heads_file")
    parser.add_argument("expected")
    parser.add_argument("heads", type=int)
    parser.add_argument("layers", type=int)
    parser.add_argument("--output", nargs=2)
    options = parser.parse_args()
    tensors, expected = safetensors_file.load(options.heads_file), safetensors_file.load(options.expected)
    prefix = "medusa_head." if any(name.startswith("medusa_head.") for name in tensors) else ""
    output = safetensors_file.load(options.output[0])[options.output[1]] if options.output else None
    failures = 0
    for name in sorted(name for name in expected if name.endswith(".input_ids")):
        logits, hidden = medusa_model.forward(options.binary, expected[name])
        error = numpy.abs(logits - expected[name.removesuffix("input_ids") + "logits"]).max()
        if output is not None:
            error = max(error, numpy.abs(logits - hidden.astype(numpy.float64) @ output.T).max())
        guesses = medusa_model.guess(options.binary, hidden)
        if guesses.shape != (len(hidden), options.heads, 10):
            sys.exit(f"{name}: guesses {guesses.shape}, expected {(len(hidden), options.heads, 10)}")
        worst = 0
        for head in range(options.heads):
            wanted = head_logits(tensors, prefix, hidden, head, options.layers, output)
            found = numpy.take_along_axis(wanted, guesses[:, head], axis=1)
            best = numpy.take_along_axis(wanted, medusa_model.likeliest(wanted, 10), axis=1)
            worst = max(worst, numpy.abs(found - best).max())
            equal = (found[:, 1:] == found[:, :-1]) & (guesses[:, head, 1:] <= guesses[:, head, :-1])
            failures += int(equal.sum()) + sum(len(set(row)) != 10 for row in guesses[:, head].tolist())
        print(f"{name}: largest error of logits {error:.3g}, of guesses {worst:.3g}")
        failures += not error <= 1e-4 or not worst <= 1e-4
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
