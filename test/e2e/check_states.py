"""Readers of states and attention over tensors against NumPy: check_states.py weights FILE, check_states.py check|mixed BINARY FILE ERROR"""

import pathlib
import subprocess
import sys
import tempfile

import numpy

import safetensors_file

T = 40
random = numpy.random.default_rng(7)


def draw(*shape):
    return random.standard_normal(shape).astype(numpy.float32)


def run(binary, entry, results, **inputs):
    """The results of an entry, by their names."""
    with tempfile.TemporaryDirectory() as folder:
        command = [binary, "--run", entry]
        for name, array in inputs.items():
            numpy.save(pathlib.Path(folder, name), array)
            command += ["--in", f"{name}={folder}/{name}.npy"]
        for name in results:
            command += ["--out", f"{name}={folder}/{name}.out.npy"]
        subprocess.run(command, check=True)
        return [numpy.load(f"{folder}/{name}.out.npy") for name in results]


def attend(q, k, v, at):
    k, v = numpy.repeat(k, 2, axis=1), numpy.repeat(v, 2, axis=1)
    scores = numpy.einsum("shd,thd->sht", q, k) / 8 ** 0.5
    rows = numpy.arange(k.shape[0])[None, None]
    seen = (rows <= at[:, 1, None, None]) & (rows >= at[:, 2, None, None])
    powers = numpy.where(seen, numpy.exp(scores - scores.max()), 0)
    return numpy.einsum("sht,thd->shd", powers / powers.sum(-1, keepdims=True), v)


def rotate(k, at, table):
    cos, sin = table[at[:, 0], None, :, 0], table[at[:, 0], None, :, 1]
    u, v = k[..., :4], k[..., 4:]
    return numpy.concatenate([u * cos - v * sin, v * cos + u * sin], -1)


def check(binary, weights, bound):
    bias = safetensors_file.load(weights)["bias"]
    worst = 0

    def compare(entry, expected, results, **inputs):
        nonlocal worst
        for name, right, found in zip(results, expected, run(binary, entry, results, **inputs), strict=True):
            error = numpy.abs(found - right).max()
            print(f"{entry}.{name}: {error:.3g}")
            worst = max(worst, error if error == error else numpy.inf)
    for s, first in ((1, 0), (7, 0), (5, 16)):
        at = numpy.array([[i, first + i, first, 0, 0] for i in range(s)], numpy.int32)
        x, q, k, v = draw(s, 2, 8), draw(s, 4, 8), draw(s, 2, 8), draw(s, 2, 8)
        rows, keys = numpy.zeros((T, 2, 8), numpy.float32), numpy.zeros((T, 2, 8), numpy.float32)
        rows[at[:, 1]], keys[at[:, 1]] = x, k
        compare("read", [rows + bias], ["result"], x=x, at=at)
        compare("moved", [rows.transpose(1, 0, 2), rows[10:30, 1]], ["turned", "head"], x=x, at=at)
        values = numpy.zeros((T, 2, 8), numpy.float32)
        values[at[:, 1]] = v
        compare("both", [attend(q, keys, values, at), values * 2], ["answer", "doubled"], q=q, k=k, v=v, at=at)
        far = at + numpy.array([0, T - first - s, 0, 0, 0], numpy.int32)
        plain = draw(T, 2, 8), draw(T, 2, 8)
        compare("tensors", [attend(q, *plain, far)], ["result"], q=q, k=plain[0], v=plain[1], at=far)
        compare("beside", [attend(q, keys, plain[1], at)], ["result"], q=q, k=k, v=plain[1], at=at)
        x, table = draw(T, 48), draw(64, 4, 2)
        compare("parts", [attend(q, x[:, :16].reshape(T, 2, 8), x[:, 32:].reshape(T, 2, 8), far)], ["result"], q=q, x=x, at=far)
        if not first:
            compare("turned", [attend(q, rotate(k, at, table), k, at)], ["result"], q=q, k=k, at=at, table=table)
    sys.exit(f"the largest error is {worst}, expected at most {bound}" if worst > bound else 0)


def check_mixed(binary, weights, bound):
    """Rows of caches that lie by pages and of one that does not, in every page."""
    bias, rows, worst = safetensors_file.load(weights)["bias"], 600, 0
    for s, first, past in ((1, 0, 0), (7, 0, 250), (9, 0, 510), (5, 256, 0), (3, 512, 80)):
        at = numpy.array([[i, first + past + i, first, 0, 0] for i in range(s)], numpy.int32)
        x, q, k, v = draw(s, 2, 8), draw(s, 4, 8), draw(s, 2, 8), draw(s, 2, 8)
        memory, keys, values = (numpy.zeros((rows, 2, 8), numpy.float32) for _ in range(3))
        memory[at[:, 1]], keys[at[:, 1]], values[at[:, 1]] = x, k, v
        for right, found in zip((attend(q, keys, values, at), memory + bias),
                                run(binary, "mixed", ["answer", "result1"], q=q, x=x, k=k, v=v, at=at), strict=True):
            worst = max(worst, numpy.abs(found - right).max())
    sys.exit(0 if worst <= bound else f"the largest error is {worst}, expected at most {bound}")


if sys.argv[1] == "weights":
    safetensors_file.save(sys.argv[2], {"bias": draw(8)})
elif sys.argv[1] == "mixed":
    check_mixed(sys.argv[2], sys.argv[3], float(sys.argv[4]))
else:
    check(sys.argv[2], sys.argv[3], float(sys.argv[4]))
