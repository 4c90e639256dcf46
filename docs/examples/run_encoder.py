"""Makes weights for encoder.qn, and runs the compiled encoder beside NumPy: run_encoder.py make FILE | run BINARY FILE"""

import pathlib
import subprocess
import sys
import tempfile

import numpy

from make_mlp_weights import write_safetensors
from run_mlp import read_weights


def make(path):
    generator = numpy.random.RandomState(2)
    names = [f"{name}_proj.weight" for name in "qkvo"]
    write_safetensors(pathlib.Path(path), {"norm.weight": 1 + generator.normal(0, 0.2, 16)} |
                      {name: generator.normal(0, 0.4, (16, 16)) for name in names})


def encode(x, w):
    y = x / numpy.sqrt((x * x).mean(-1, keepdims=True) + 1e-5) * w["norm.weight"]
    q, k, v = ((y @ w[f"{name}_proj.weight"].T).reshape(-1, 4, 4) for name in "qkv")
    powers = numpy.exp(numpy.einsum("shd,thd->sht", q, k) / 2)
    o = numpy.einsum("sht,thd->shd", powers / powers.sum(-1, keepdims=True), v)
    return x + o.reshape(-1, 16) @ w["o_proj.weight"].T


def run(binary, path):
    x = numpy.linspace(-1, 1, 80, dtype=numpy.float32).reshape(5, 16)
    with tempfile.TemporaryDirectory() as folder:
        numpy.save(f"{folder}/x.npy", x)
        subprocess.run([binary, "--run", "forward", "--in", f"x={folder}/x.npy", "--out", f"result0={folder}/y.npy"], check=True)
        y = numpy.load(f"{folder}/y.npy")
    error = numpy.abs(y - encode(x, read_weights(pathlib.Path(path)))).max()
    print("equal to NumPy within 1e-5:", bool(error < 1e-5))
    sys.exit(0 if error < 1e-5 else 1)


if __name__ == "__main__":
    make(sys.argv[2]) if sys.argv[1] == "make" else run(*sys.argv[2:])
