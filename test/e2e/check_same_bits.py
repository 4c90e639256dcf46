"""Checks that a compiled language model's numbers depend on its input alone.

    check_same_bits.py BINARY GOLDENS.safetensors|TEXT [--tokens N] [--other BINARY]

The logits are the same bytes for every number of threads, and for a prompt fed at once, token by token, and in odd pieces;
so is the text after it. The other binary gives the same, too.
"""

import argparse
import sys

import numpy

import model

THREADS = [2, 3, 7]
BATCHES = [1, 7]
NEW_TOKENS = 12


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("prompt")
    parser.add_argument("--tokens", type=int)
    parser.add_argument("--other")
    options = parser.parse_args()
    tokens = model.read_tokens(options.binary, options.prompt)[:options.tokens]
    if len(tokens) <= max(BATCHES):
        sys.exit(f"{len(tokens)} tokens are too few to be split")

    variants = [("--threads", str(threads)) for threads in THREADS] + [("--batch", str(batch)) for batch in BATCHES]
    wanted = model.logits_of(options.binary, tokens, "--threads", "1")
    text = model.greedy_of(options.binary, tokens, NEW_TOKENS, "--threads", "1")
    failures = 0
    runs = [(options.binary, variant) for variant in variants]
    if options.other:
        runs += [(options.other, ("--batch", str(batch))) for batch in [len(tokens), *BATCHES]]
    for binary, variant in runs:
        found = model.logits_of(binary, tokens, *variant)
        same = found.tobytes() == wanted.tobytes()
        difference = numpy.abs(found - wanted).max()
        print(f"{' '.join(variant)}: {len(tokens)} tokens, largest difference {difference:.3g}, {'same bytes' if same else 'other bytes'}")
        failures += not same
        if (found_text := model.greedy_of(binary, tokens, NEW_TOKENS, *variant)) != text:
            print(f"{' '.join(variant)}: greedy tokens {found_text}, expected {text}")
            failures += 1
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
