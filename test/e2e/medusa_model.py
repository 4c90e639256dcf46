"""Runs compiled Medusa models by their entries: what the checks of them share."""

import json
import pathlib
import subprocess
import tempfile

import numpy


def describe(binary, entry):
    """What `--info` says of the entry."""
    info = json.loads(subprocess.run([binary, "--info"], check=True, stdout=subprocess.PIPE).stdout)
    return next(item for item in info["entries"] if item["name"] == entry)


def run(binary, entry, inputs, results, *options):
    """The named results of the entry for inputs by name."""
    with tempfile.TemporaryDirectory() as folder:
        command = [binary, "--run", entry, *options]
        for name, value in inputs.items():
            numpy.save(pathlib.Path(folder, name + ".npy"), value)
            command += ["--in", f"{name}={folder}/{name}.npy"]
        for name in results:
            command += ["--out", f"{name}={folder}/{name}.out.npy"]
        subprocess.run(command, check=True)
        return [numpy.load(pathlib.Path(folder, name + ".out.npy")) for name in results]


def forward(binary, tokens):
    """Logits f32 [n, vocabulary] and hidden rows f32 [n, hidden] of a text's tokens."""
    count = len(tokens)
    columns = next(item for item in describe(binary, "forward")["inputs"] if item["name"] == "at")["columns"]
    at = numpy.zeros((count, len(columns)), numpy.int32)
    for name in ("position", "row"):
        at[:, columns.index(name)] = numpy.arange(count)
    inputs = {"tokens": numpy.asarray(tokens, numpy.int32), "at": at, "want": numpy.arange(count, dtype=numpy.int32)}
    return run(binary, "forward", inputs, ["logits", "hidden"])


def guess(binary, hidden, *options):
    """The tokens that each head guesses for rows of hidden, i32 [n, heads, guesses], at most as many rows at once as the
    entry takes."""
    most = describe(binary, "guess")["bounds"]["r"]
    parts = [run(binary, "guess", {"hidden": hidden[i:i + most]}, ["guesses"], *options)[0] for i in range(0, len(hidden), most)]
    return numpy.concatenate(parts)


def likeliest(logits, count):
    """The `count` largest of each row, the largest first, of equal ones the lower: i32 [.., count]."""
    return numpy.argsort(-logits, axis=-1, kind="stable")[..., :count].astype(numpy.int32)
