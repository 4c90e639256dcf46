"""Runs a compiled mixture.qn on a few rows and computes the same with NumPy.

    run_mixture.py BINARY
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import numpy


def read_safetensors(path):
    raw = path.read_bytes()
    size = int.from_bytes(raw[:8], "little")
    header, data = json.loads(raw[8:8 + size]), raw[8 + size:]
    return {name: numpy.frombuffer(data[slice(*entry["data_offsets"])], "<f4").reshape(entry["shape"])
            for name, entry in header.items()}


def mixture(weights, x):
    scores = x @ weights["router.weight"].T
    likely = numpy.exp(scores) / numpy.exp(scores).sum(axis=1, keepdims=True)
    y = x.copy()
    for row, p in enumerate(likely):
        chosen = numpy.argsort(-p)[:2]
        for expert in chosen:
            of = lambda name: weights[f"experts.{expert}.{name}.weight"]
            gate, up = of("gate_proj") @ x[row], of("up_proj") @ x[row]
            y[row] += p[expert] / p[chosen].sum() * (of("down_proj") @ (gate / (1 + numpy.exp(-gate)) * up))
    return y


def main():
    weights = read_safetensors(pathlib.Path(__file__).with_name("mixture.safetensors"))
    x = numpy.random.RandomState(3).normal(0, 1, (5, 16)).astype("float32")
    with tempfile.TemporaryDirectory() as folder:
        numpy.save(f"{folder}/x.npy", x)
        subprocess.run([sys.argv[1], "--run", "forward", "--in", f"x={folder}/x.npy", "--out", f"result={folder}/y.npy"],
                       check=True)
        y = numpy.load(f"{folder}/y.npy")
    equal = numpy.allclose(y, mixture(weights, x), atol=1e-5)
    print(f"equal to NumPy within 1e-5: {equal}")
    sys.exit(not equal)


if __name__ == "__main__":
    main()
