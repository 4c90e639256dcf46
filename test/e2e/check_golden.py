"""Compares a compiled language model with the outputs of an independent implementation (test/data/README.md).

    check_golden.py BINARY EXPECTED.safetensors MAX_ERROR [MEAN_ERROR] [--greedy]

Every prompt's logits, at every position, are within MAX_ERROR absolute (and MEAN_ERROR on average); with --greedy, the 32
tokens after each prompt are equal.
"""

import argparse
import sys

import numpy

import model
import safetensors_file


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
        found = model.logits_of(options.binary, tokens)
        wanted = expected[prompt + ".logits"]
        if found.shape != wanted.shape or found.dtype != numpy.float32:
            sys.exit(f"{prompt}: found {found.dtype}{found.shape}, expected float32{wanted.shape}")
        error = numpy.abs(found - wanted)
        print(f"{prompt}: {len(tokens)} tokens, largest error {error.max():.3g}, mean {error.mean():.3g}")
        failures += not error.max() <= options.max_error
        failures += options.mean_error is not None and not error.mean() <= options.mean_error
        if options.greedy:
            greedy = expected[prompt + ".greedy"].tolist()
            text = model.greedy_of(options.binary, tokens, len(greedy))
            if text != greedy:
                print(f"{prompt}: greedy tokens {text}, expected {greedy}")
                failures += 1
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
