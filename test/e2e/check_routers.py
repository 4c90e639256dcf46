"""Compiles the routers of routers.qn and holds their weights, on rows with infinities and NaNs, against NumPy:

    check_routers.py MODEL.qn STEM

A row with a NaN gives NaNs, as does an infinite score where softmax is computed; all else is as the formulas say.
"""

import pathlib
import subprocess
import sys

import numpy

import safetensors_file


def softmax(x):
    powers = numpy.exp(x - x.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def choose(scores, k):
    """The k largest of each row, a NaN before every number: their indices."""
    return numpy.argsort(-numpy.where(numpy.isnan(scores), numpy.inf, scores), axis=-1, kind="stable")[..., :k]


def keep_groups(scores, groups, kept, best):
    grouped = scores.reshape(len(scores), groups, -1)
    largest = numpy.take_along_axis(grouped, choose(grouped, best), -1).sum(-1)
    is_open = numpy.zeros((len(scores), groups), bool)
    numpy.put_along_axis(is_open, choose(largest, kept), True, -1)
    return numpy.where(is_open[..., None], grouped, -1e30).reshape(scores.shape)


def route(scores):
    """By entry: the weights that it gives, the experts, whether weights are divided by their sum, and a factor."""
    likely = softmax(scores)
    chosen = choose(likely, 3)
    yield "softmax_alone", numpy.take_along_axis(likely, chosen, -1), True, 1
    grouped = keep_groups(likely, 4, 2, 1)
    yield "groups_alone", numpy.take_along_axis(grouped, choose(grouped, 3), -1), False, 16
    yield "topk_softmax_alone", softmax(numpy.take_along_axis(scores, choose(scores, 3), -1)), False, 1
    likely = 1 / (1 + numpy.exp(-scores))
    chosen = choose(keep_groups(likely, 4, 2, 2), 3)
    yield "sigmoid_alone", numpy.take_along_axis(likely, chosen, -1), True, 2.5


def run(binary, entry, x, stem, **others):
    inputs = []
    for name, array in {"x": x, **others}.items():
        numpy.save(f"{stem}.{name}.npy", array)
        inputs += ["--in", f"{name}={stem}.{name}.npy"]
    subprocess.run([binary, "--run", entry, *inputs, "--out", f"y={stem}.y.npy"], check=True)
    return numpy.load(f"{stem}.y.npy")


def main():
    source, stem = sys.argv[1:]
    rng = numpy.random.default_rng(4)
    weights = {"zero": numpy.zeros(8)}
    for expert in range(8):
        for name, shape in (("gate", (16, 16)), ("up", (16, 16)), ("down", (16, 16))):
            weights[f"experts.{expert}.{name}_proj.weight"] = rng.normal(0, 0.3, shape)
    safetensors_file.save(f"{stem}.safetensors", {name: array.astype(numpy.float32) for name, array in weights.items()})
    subprocess.run(["quern", "compile", source, "--weights", f"{stem}.safetensors", "--exact", "-o", f"{stem}.exe"], check=True)
    x = rng.normal(0, 1, (9, 8)).astype(numpy.float32)
    x[1, 2], x[2, 2], x[3, 2], x[4, [1, 5]], x[5], x[6, 2], x[7] = numpy.nan, numpy.inf, -numpy.inf, numpy.inf, numpy.nan, -1e30, 3e38
    failures = 0
    with numpy.errstate(all="ignore"):
        for entry, expected, normalized, factor in route(x.astype(numpy.float64)):
            if normalized:
                expected = expected / expected.sum(-1, keepdims=True)
            found = run(f"{stem}.exe", entry, x, stem)
            # Rows of several equal scores aside, an infinity is one of the largest: the weights have an order.
            if not numpy.allclose(found, expected * factor, rtol=1e-5, atol=1e-6, equal_nan=True):
                failures += 1
                print(f"{entry}: found\n{found}\nexpected\n{expected * factor}")
    given = rng.normal(0, 1, (len(x), 16)).astype(numpy.float32)
    for entry, is_nan in (("softmax_and_experts", [1, 2, 4, 5]), ("sigmoid_and_experts", [1, 5])):
        found = run(f"{stem}.exe", entry, x, stem, given=given)
        rows = numpy.isin(numpy.arange(len(x)), is_nan)
        if not (numpy.isnan(found).all(-1) == rows).all() or numpy.isnan(found[~rows]).any():
            failures += 1
            print(f"{entry}: found {found}, expected NaNs in rows {is_nan}")
    sys.exit(failures > 0)


main()
