"""Holds the guesses of a compiled Medusa model for rows together against those for each alone.

    check_medusa_rows.py BINARY

The hidden rows are random; 1 to 64 of them, as many threads as there are, and one.
"""

import sys

import numpy

import medusa_model


def main():
    binary = sys.argv[1]
    size = medusa_model.describe(binary, "guess")["inputs"][0]["shape"][1]
    hidden = numpy.random.default_rng(3).normal(0, 1, (64, size)).astype(numpy.float32)
    alone = numpy.concatenate([medusa_model.guess(binary, hidden[i:i + 1]) for i in range(8)])
    assert len({tuple(row) for row in alone[:, 0].tolist()}) > 1, "the same guesses for all rows"
    for count in (1, 2, 3, 5, 17, 64):
        for options in ([], ["--threads", "1"]):
            together = medusa_model.guess(binary, hidden[:count], *options)
            assert (together[:8] == alone[:count]).all(), f"{count} rows, {options}: other guesses than for each alone"


if __name__ == "__main__":
    main()
