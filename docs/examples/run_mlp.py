"""Runs the compiled mlp on three rows and compares it with NumPy: run_mlp.py BINARY"""

import json
import pathlib
import subprocess
import sys
import tempfile

import numpy


def read_weights(path):
    """The tensors of a safetensors file of f32."""
    raw = path.read_bytes()
    size = int.from_bytes(raw[:8], "little")
    tensors = {}
    for name, entry in json.loads(raw[8:8 + size]).items():
        begin, end = entry["data_offsets"]
        tensors[name] = numpy.frombuffer(raw[8 + size + begin:8 + size + end], "<f4").reshape(entry["shape"])
    return tensors


def mlp(x, w):
    normed = x / numpy.sqrt((x * x).mean(-1, keepdims=True) + 1e-5) * w["norm.weight"]
    inner = normed @ w["up.weight"].T + w["up.bias"]
    return x + inner / (1 + numpy.exp(-inner)) @ w["down.weight"].T


def main():
    weights = read_weights(pathlib.Path(__file__).with_name("mlp.safetensors"))
    x = numpy.linspace(-1, 1, 48, dtype=numpy.float32).reshape(3, 16)
    with tempfile.TemporaryDirectory() as folder:
        numpy.save(f"{folder}/x.npy", x)
        subprocess.run([sys.argv[1], "--run", "forward", "--in", f"x={folder}/x.npy", "--out", f"result={folder}/y.npy"], check=True)
        y = numpy.load(f"{folder}/y.npy")
    error = numpy.abs(y - mlp(x, weights)).max()
    print("equal to NumPy within 1e-5:", bool(error < 1e-5))
    sys.exit(0 if error < 1e-5 else 1)


if __name__ == "__main__":
    main()
