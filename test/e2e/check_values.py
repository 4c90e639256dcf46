"""Products of two values against NumPy: check_values.py weights FILE, check_values.py check LIBRARY.so FILE BOUND"""

import sys

import numpy

import safetensors_file
import shared_library

random = numpy.random.default_rng(11)


def draw(*shape):
    return random.standard_normal(shape).astype(numpy.float32)


def attend(q, k, v):
    scores = numpy.einsum("shd,thd->sht", q, k) * 0.35355338
    powers = numpy.exp(scores - scores.max(-1, keepdims=True))
    return numpy.einsum("sht,thd->shd", powers / powers.sum(-1, keepdims=True), v)


def check(path, weights, bound):
    tensors = safetensors_file.load(weights)
    for threads in (1, 3):
        library = shared_library.Library(path, threads)
        entries = {entry["name"]: i for i, entry in enumerate(library.describe()["entries"])}

        def compare(entry, expected, *inputs):
            results = [numpy.empty(right.shape, numpy.float32) for right in expected]
            for found, right in zip(library.run(entries[entry], inputs, results), expected):
                error = numpy.abs(found - right).max() if right.size else 0
                print(f"{threads} threads, {entry} {[array.shape for array in inputs]}: {error:.3g}")
                if not error <= bound:
                    sys.exit(f"the error is {error}, expected at most {bound}")
        for s in (1, 2, 4, 5, 33):
            for t in (1, 3, 16, 50):
                q, k, v = draw(s, 3, 8), draw(t, 3, 8), draw(t, 3, 8)
                compare("attention", [attend(q, k, v)], q, k, v)
                x, y, bias = draw(s, 17), draw(t, 17), draw(1)
                product = x @ y.T + bias
                compare("plain", [product / (1 + numpy.exp(-product))], x, y, bias)
                x, y = draw(5, 7, t), draw(t, 33)
                compare("turned", [x @ y], x, y)
            x, y = draw(s, 24), draw(s, 3, 8)
            compare("weights", [x @ tensors["weight"], numpy.einsum("sbk,bkn->sbn", y, tensors["heads"])], x, y)
            x, y = draw(s, 3, 20), draw(s, 2, 3, 8)
            product = (x / (1 + numpy.exp(-x))) @ tensors["weight"].T
            compare("axes", [product / (1 + numpy.exp(-product)), numpy.einsum("sabk,bkn->sabn", y, tensors["heads"])], x, y)
            x = draw(s, 20)
            compare("left", [tensors["weight"] @ x.T], x)
        x = draw(20)
        compare("one", [tensors["weight"] @ x], x)
        x, y = draw(9), draw(33, 9)
        compare("vector", [y @ x], x, y)
        library.close()


if sys.argv[1] == "weights":
    safetensors_file.save(sys.argv[2], {"weight": draw(24, 20), "heads": draw(3, 8, 5)})
else:
    check(sys.argv[2], sys.argv[3], float(sys.argv[4]))
