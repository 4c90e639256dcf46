"""Runs compiled models: what the checks of this folder share."""

import json
import pathlib
import subprocess
import tempfile

import numpy

import safetensors_file


def logits_of(binary, tokens, *options):
    """The logits after each token, f32 [n, vocabulary]."""
    with tempfile.TemporaryDirectory() as folder:
        ids, result = pathlib.Path(folder, "ids.npy"), pathlib.Path(folder, "logits.npy")
        numpy.save(ids, numpy.asarray(tokens, numpy.int32))
        subprocess.run([binary, "--logits", ids, "-o", result, *options], check=True)
        return numpy.load(result)


def logits_of_images(binary, images):
    """What the entry `forward` of a network gives for images `x`, f32 [n, channels, h, w]: f32 [n, classes]."""
    with tempfile.TemporaryDirectory() as folder:
        source, result = pathlib.Path(folder, "x.npy"), pathlib.Path(folder, "logits.npy")
        numpy.save(source, images)
        subprocess.run([binary, "--run", "forward", "--in", f"x={source}", "--out", f"logits={result}"], check=True)
        return numpy.load(result)


def greedy_of(binary, tokens, count, *options):
    """The `count` likeliest tokens after `tokens`."""
    ids = ",".join(str(token) for token in tokens)
    command = [binary, "--prompt-tokens", ids, "-n", str(count), "--greedy", "--ignore-eos", "--print-tokens", *options]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def tokens_of(binary, text, *options):
    """The token ids of these bytes, read from the standard input."""
    command = [binary, "--tokenize", "-", *options]
    return json.loads(subprocess.run(command, input=text, check=True, stdout=subprocess.PIPE).stdout)


def read_tokens(binary, path):
    """The longest prompt of a file of goldens (test/data/README.md), or a text file's tokens."""
    if path.endswith(".safetensors"):
        prompts = [value for name, value in safetensors_file.load(path).items() if name.endswith(".input_ids")]
        return max(prompts, key=len).tolist()
    return tokens_of(binary, pathlib.Path(path).read_bytes())
