"""Usage: check_device_plans.py MODEL WEIGHTS DATABASE [--any]

Compiles the model for `cuda` by its default plans and by those of DATABASE, and runs both on the interpreter of PTX: all results have the same
bits, and the plans of DATABASE execute fewer instructions, or, with --any, any number of them."""

import json
import os
import subprocess
import sys

import numpy

model, weights, database = sys.argv[1:4]


def run(*command, **environment):
    return subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, **environment}).stdout


def execute(name, *options):
    """The bits of the result, and the instructions of all kernels."""
    run("quern", "compile", model, "--weights", weights, "--target", "cuda", *options, "-o", f"{name}.out")
    entry = json.loads(run(f"./{name}.out", "--device", "cuda", "--info"))["entries"][0]
    source, result = entry["inputs"][0]["name"], entry["results"][0]["name"]
    run(f"./{name}.out", "--device", "cuda", "--run", entry["name"], "--in", f"{source}=x.npy", "--out", f"{result}={name}.npy",
        QUERN_FAKE_CUDA_COUNTS="counts.json")
    with open("counts.json") as file:
        return numpy.load(f"{name}.npy").tobytes(), sum(kernel["instructions"] for kernel in json.load(file)["kernels"])


with open(database) as file:
    rows = json.load(file)["rows"]
assert (rows or "--any" in sys.argv) and all(row["target"] == "cuda" and row["threads"] == 1 for row in rows), rows
numpy.save("x.npy", numpy.random.default_rng(1).standard_normal((1, 16), dtype=numpy.float32))
plain, before = execute("plain", "--no-tuned")
tuned, after = execute("tuned", "--tuned", database)
assert plain == tuned
assert "--any" in sys.argv or after < before, (before, after)
