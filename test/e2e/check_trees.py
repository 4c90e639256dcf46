"""Holds the tokens of trees against the same tokens as texts.

    check_trees.py LIBRARY.so [COUNT]

COUNT random trees of 1 to 64 tokens stand behind random texts, beside other texts, some of which are a tree, too. The
logits after each token have the bits that they have after the way to it as a text of its own, a token a step, for one
thread and for three. Then the text goes on along one way, as if the other tokens had never been.
"""

import random
import sys

import numpy

import shared_library

SEQUENCES, ROWS = 2, 96


class Session:
    """A model whose sequences share its states."""

    def __init__(self, path, threads):
        self.library = shared_library.Library(path, threads)
        self.rows = self.library.make_room(SEQUENCES)
        self.context = self.library.get_rows()
        outputs = self.library.describe()["entries"][0]["results"]
        self.sizes = [output["shape"][1] for output in outputs]
        self.vocabulary = self.sizes[0]

    def step(self, pieces):
        """The logits after each token of `pieces`."""
        return self.run(pieces)[0]

    def run(self, pieces):
        """One step over pieces (sequence, rows before, tokens, ways), where the way to a token is a list of numbers of tokens of its
        piece, itself the last, or None where they are no tree: the results of the entry."""
        tokens, positions = [], []
        for sequence, before, piece, ways in pieces:
            first = sequence * self.rows
            for i, token in enumerate(piece):
                word = sum(1 << node for node in ways[i]) if ways else 0
                depth = len(ways[i]) - 1 if ways else i
                halves = [(word >> shift) & 0xffffffff for shift in (0, 32)]
                tokens.append(token)
                positions.append([before + depth, first + before + i, first] + halves)
        inputs = [numpy.array(tokens, numpy.int32), numpy.array(positions, numpy.int64).astype(numpy.uint32).view(numpy.int32),
                  numpy.arange(len(tokens), dtype=numpy.int32)]
        results = [numpy.empty((len(tokens), size), numpy.float32) for size in self.sizes]
        return self.library.run(0, inputs, results)


def grow(draw, size):
    """The ways to the tokens of a tree."""
    wide, ways = draw.random(), [[0]]
    for node in range(1, size):
        parent = draw.randrange(node) if draw.random() < wide else node - 1
        ways.append(ways[parent] + [node])
    return ways


def check(sessions, draw):
    plain = sessions[0]
    tokens_of = lambda count: [draw.randrange(plain.vocabulary) for _ in range(count)]
    pieces, texts = [], []
    for sequence in range(SEQUENCES):
        size = draw.choice([1, 2, 3, 4, 8, 17, 64]) if sequence == 0 else draw.choice([0, 1, 5])
        if size:
            text, piece = tokens_of(draw.randrange(1, min(ROWS, plain.context) - size)), tokens_of(size)
            texts.append(text)
            pieces.append((sequence, len(text), piece, grow(draw, size) if sequence == 0 or draw.random() < 0.5 else None))
    found = []
    for session in sessions:
        for (sequence, _, _, _), text in zip(pieces, texts):
            session.step([(sequence, 0, text, None)])
        found.append(session.step(pieces))
    if not (found[0] == found[1]).all():
        return "three threads give other logits than one"
    row = 0
    for (sequence, before, piece, ways), text in zip(pieces, texts):
        for node in range(len(piece)):
            way = ways[node] if ways else list(range(node + 1))
            for i, step in enumerate(way):
                logits = plain.step([(sequence, before + i, [piece[step]], None)])
            if not (logits[0] == found[0][row]).all():
                return f"token {node} of {ways} behind {before} tokens has other logits"
            row += 1
    return None


def main():
    path, count = sys.argv[1], int((sys.argv[2:] or ["12"])[0])
    draw, sessions = random.Random(1), [Session(path, threads) for threads in (1, 3)]
    for case in range(count):
        if error := check(sessions, draw):
            sys.exit(f"case {case}: {error}")


if __name__ == "__main__":
    main()
