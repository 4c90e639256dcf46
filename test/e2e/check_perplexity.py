"""Compares the default compilation of a language model with its exact one on a text.

    check_perplexity.py BINARY EXACT_BINARY TEXT MAX_ERROR MEAN_ERROR RATIO

Every logit is within MAX_ERROR absolute, their mean error within MEAN_ERROR; the perplexities differ by at most RATIO.
"""

import pathlib
import sys

import numpy

import model


def perplexity(logits, tokens):
    """Of each token after the first, given those before it."""
    rows = logits[:-1].astype(numpy.float64)
    rows -= rows.max(-1, keepdims=True)
    likelihoods = rows - numpy.log(numpy.exp(rows).sum(-1, keepdims=True))
    return numpy.exp(-likelihoods[numpy.arange(len(rows)), tokens[1:]].mean())


def main():
    binary, exact, text = sys.argv[1:4]
    max_error, mean_error, ratio = map(float, sys.argv[4:])
    tokens = model.tokens_of(binary, pathlib.Path(text).read_bytes())
    found, wanted = model.logits_of(binary, tokens), model.logits_of(exact, tokens)
    error = numpy.abs(found - wanted)
    perplexities = perplexity(found, tokens), perplexity(wanted, tokens)
    off = abs(perplexities[0] / perplexities[1] - 1)
    print(f"{len(tokens)} tokens: largest error {error.max():.3g} (at most {max_error}), mean {error.mean():.3g} (at most {mean_error})")
    print(f"perplexity {perplexities[0]:.3f}, exact {perplexities[1]:.3f}: {off:.2%} apart (at most {ratio:.2%})")
    print(f"the likeliest token is the same after {(found.argmax(-1) == wanted.argmax(-1)).mean():.1%} of the tokens")
    sys.exit(0 if error.max() <= max_error and error.mean() <= mean_error and off <= ratio else 1)


if __name__ == "__main__":
    main()
