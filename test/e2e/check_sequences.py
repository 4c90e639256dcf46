"""Checks that sequences of a compiled language model do not depend on each other.

    check_sequences.py LIBRARY.so GOLDENS.safetensors

Four prompts, continued greedily: each in a session of its own; all in one, a token of each per step; and all their tokens, in
turns, in a single step. The logits after each token are the same bytes, for any number of threads.
"""

import sys

import numpy

import model
import shared_library

LENGTHS = [23, 1, 31, 8]
NEW_TOKENS = 9
THREADS = [1, 3]


class Session:
    """A model whose sequences share its states."""

    def __init__(self, path, threads, sequences):
        self.library = shared_library.Library(path, threads)
        self.rows = self.library.make_room(sequences)
        self.fed = [0] * sequences
        self.vocabulary = self.library.describe()["entries"][0]["results"][0]["shape"][1]

    def close(self):
        self.library.close()

    def feed(self, tokens):
        """Runs one step over pairs (sequence, token): the logits after each."""
        positions = []
        for sequence, _ in tokens:
            first = sequence * self.rows
            positions.append([self.fed[sequence], first + self.fed[sequence], first, 0, 0])
            self.fed[sequence] += 1
        inputs = [numpy.array([token for _, token in tokens], numpy.int32), numpy.array(positions, numpy.int32),
                  numpy.arange(len(tokens), dtype=numpy.int32)]
        return self.library.run(0, inputs, [numpy.empty((len(tokens), self.vocabulary), numpy.float32)])[0]


def continue_all(path, threads, prompts):
    """The logits after each token of each prompt and of NEW_TOKENS more, a token of each prompt per step."""
    session = Session(path, threads, len(prompts))
    logits = [session.feed([(i, token) for token in prompt]) for i, prompt in enumerate(prompts)]
    for _ in range(NEW_TOKENS):
        for i, row in enumerate(session.feed([(i, rows[-1].argmax()) for i, rows in enumerate(logits)])):
            logits[i] = numpy.vstack([logits[i], row])
    session.close()
    return logits


def feed_in_turns(path, threads, prompts):
    """The logits after each token of each prompt, all in one step."""
    order = [(i, token) for at in range(max(map(len, prompts))) for i, prompt in enumerate(prompts) for token in prompt[at:at + 1]]
    session = Session(path, threads, len(prompts))
    logits = session.feed(order)
    session.close()
    return [logits[[i == sequence for i, _ in order]] for sequence in range(len(prompts))]


def main():
    path, goldens = sys.argv[1:]
    tokens = model.read_tokens(path, goldens)
    prompts = [tokens[i:i + length] for i, length in enumerate(LENGTHS)]
    if [len(prompt) for prompt in prompts] != LENGTHS:
        sys.exit(f"{len(tokens)} tokens are too few")
    failures = 0
    for threads in THREADS:
        alone = [continue_all(path, threads, [prompt])[0] for prompt in prompts]
        for name, found in (("together", continue_all(path, threads, prompts)), ("in turns", feed_in_turns(path, threads, prompts))):
            for i, (rows, expected) in enumerate(zip(found, alone)):
                same = rows.tobytes() == expected[:len(rows)].tobytes()
                print(f"{threads} threads, sequence {i}, {name}: {len(rows)} rows, {'same bytes' if same else 'other bytes'}")
                failures += not same
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
