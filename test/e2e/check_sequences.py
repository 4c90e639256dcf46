"""Checks that sequences of a compiled language model do not depend on each other.

    check_sequences.py LIBRARY.so GOLDENS.safetensors

Four prompts, continued greedily: each in a session of its own; all in one, a token of each per step; and all their tokens, in
turns, in a single step. The logits after each token are the same bytes, for any number of threads.
"""

import ctypes
import json
import sys

import numpy

import model

LENGTHS = [23, 1, 31, 8]
NEW_TOKENS = 9
THREADS = [1, 3]


class Tensor(ctypes.Structure):
    """`quern_tensor` of quern/quern.h."""
    _fields_ = [("dtype", ctypes.c_int), ("rank", ctypes.c_uint32), ("shape", ctypes.c_int64 * 8),
                ("data", ctypes.c_void_p), ("bytes", ctypes.c_uint64)]

    def __init__(self, array):
        super().__init__({"float32": 0, "int32": 1}[array.dtype.name], array.ndim, (ctypes.c_int64 * 8)(*array.shape),
                         array.ctypes.data, array.nbytes)


class Session:
    """A model whose sequences share its states."""

    def __init__(self, path, threads, sequences):
        self.library = ctypes.CDLL(path)
        self.library.quern_open.restype = self.library.quern_describe.restype = ctypes.c_void_p
        self.library.quern_state_rows.restype = ctypes.c_int64
        self.handle = ctypes.c_void_p(self.library.quern_open(None, threads, None, 0))
        self.rows = self.library.quern_state_rows(self.handle, ctypes.c_int64(sequences))
        self.fed = [0] * sequences
        size = ctypes.c_size_t()
        text = self.library.quern_describe(self.handle, ctypes.byref(size))
        self.vocabulary = json.loads(ctypes.string_at(text, size.value))["entries"][0]["results"][0]["shape"][1]

    def close(self):
        self.library.quern_close(self.handle)

    def feed(self, tokens):
        """Runs one step over pairs (sequence, token): the logits after each."""
        positions = []
        for sequence, _ in tokens:
            first = sequence * self.rows
            positions.append([self.fed[sequence], first + self.fed[sequence], first])
            self.fed[sequence] += 1
        arrays = [numpy.array([token for _, token in tokens], numpy.int32), numpy.array(positions, numpy.int32),
                  numpy.arange(len(tokens), dtype=numpy.int32)]
        logits = numpy.empty((len(tokens), self.vocabulary), numpy.float32)
        error = ctypes.create_string_buffer(300)
        status = self.library.quern_run(self.handle, 0, (Tensor * 3)(*map(Tensor, arrays)), ctypes.c_size_t(3),
                                        ctypes.byref(Tensor(logits)), ctypes.c_size_t(1), error, ctypes.c_size_t(300))
        if status:
            sys.exit(error.value.decode())
        return logits


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
