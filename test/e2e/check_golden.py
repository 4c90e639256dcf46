"""Compares a compiled language model with the outputs of an independent implementation (test/data/README.md).

    check_golden.py BINARY EXPECTED.safetensors MAX_ERROR [MEAN_ERROR] [--greedy]

Every prompt's logits, at every position, are within MAX_ERROR absolute (and MEAN_ERROR on average); with --greedy, the 32
tokens after each prompt are equal.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy

import safetensors_file


def logits_of(binary, tokens, folder):
    numpy.save(folder / "ids.npy", tokens.astype(numpy.int32))
    subprocess.run([binary, "--logits", folder / "ids.npy", "-o", folder / "logits.npy"], check=True)
    return numpy.load(folder / "logits.npy")


def greedy_of(binary, tokens, count):
    ids = ",".join(str(token) for token in tokens)
    result = subprocess.run([binary, "--prompt-tokens", ids, "-n", str(count), "--greedy", "--ignore-eos", "--print-tokens"], check=True,
                            text=True, stdout=subprocess.PIPE)
    return json.loads(result.stdout)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("expected")
    parser.add_argument("max_error", type=float)
    parser.add_argument("mean_error", type=float, nargs="?")
    parser.add_argument("--greedy", action="store_true")
    options = parser.parse_args()
    expected = safetensors_file.load(options.expected)
    prompts = sorted(name for name in expected if name.endswith(".input_ids"))
    if not prompts:
        sys.exit(f"{options.expected} holds no prompts")
    failures = 0
    for name in prompts:
        prompt = name.removesuffix(".input_ids")
        tokens = expected[name]
        with tempfile.TemporaryDirectory() as folder:
            found = logits_of(options.binary, tokens, pathlib.Path(folder))
        wanted = expected[prompt + ".logits"]
        if found.shape != wanted.shape or found.dtype != numpy.float32:
            sys.exit(f"{prompt}: found {found.dtype}{found.shape}, expected float32{wanted.shape}")
        error = numpy.abs(found - wanted)
        print(f"{prompt}: {len(tokens)} tokens, largest error {error.max():.3g}, mean {error.mean():.3g}")
        failures += not error.max() <= options.max_error
        failures += options.mean_error is not None and not error.mean() <= options.mean_error
        if options.greedy:
            greedy = expected[prompt + ".greedy"].tolist()
            text = greedy_of(options.binary, tokens, len(greedy))
            if text != greedy:
                print(f"{prompt}: greedy tokens {text}, expected {greedy}")
                failures += 1
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
