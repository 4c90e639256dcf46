#!/usr/bin/env python3
"""Makes Medusa heads that guess one text as often right as they are told: what a tree gains depends on nothing else.

    fit_medusa_heads.py BINARY PROMPT COUNT ACCURACIES FOLDER [--tied BASE.gguf]
    fit_medusa_heads.py --zeros HIDDEN VOCABULARY HEADS FOLDER

BINARY is a compiled model with heads of zeros, which the second form writes. It continues PROMPT, token ids as `1,2,3`, by COUNT tokens. Of
every token of that text, guess number r of head k is the one that follows with probability ACCURACIES[k][r], a JSON list of lists, and all
other guesses are wrong ones. Residual blocks are zeros; each output matrix is the least squares solution that gives these guesses the scores
10, 9, 8, … for the rows that the model's heads read, which are fewer than their elements, so that it is exact. With `--tied` the heads have no
output matrix but the base's, as in Medusa 2's files: the residual block adds to a row what lifts the token that follows to rank r of the base's
own scores. FOLDER gets `medusa_lm_head.safetensors` (F16) and `config.json`; the text is printed. It says nothing of other texts. Needs numpy,
and gguf for `--tied`.
"""

import json
import pathlib
import struct
import subprocess
import sys
import tempfile

import numpy

GUESSES = 10


def save(folder, tensors, heads):
    folder.mkdir(parents=True, exist_ok=True)
    header, offset = {}, 0
    for name, tensor in tensors.items():
        header[name] = {"dtype": "F16", "shape": list(tensor.shape), "data_offsets": [offset, offset + tensor.nbytes]}
        offset += tensor.nbytes
    text = json.dumps(header).encode()
    with open(folder / "medusa_lm_head.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for tensor in tensors.values():
            tensor.tofile(file)
    (folder / "config.json").write_text(json.dumps({"medusa_num_heads": heads, "medusa_num_layers": 1, "version": "2"}))


def blocks(head, hidden):
    return {f"{head}.0.linear.weight": numpy.zeros((hidden, hidden), numpy.float16),
            f"{head}.0.linear.bias": numpy.zeros(hidden, numpy.float16)}


def make_zeros(hidden, vocabulary, heads, folder):
    tensors = {}
    for head in range(heads):
        tensors |= blocks(head, hidden) | {f"{head}.1.weight": numpy.zeros((vocabulary, hidden), numpy.float16)}
    save(folder, tensors, heads)


def read_rows(binary, tokens):
    """What the heads read behind each token, f32 [n, hidden], and how large the vocabulary is."""
    info = json.loads(subprocess.run([binary, "--info"], check=True, stdout=subprocess.PIPE).stdout)
    entry = next(item for item in info["entries"] if item["name"] == "forward")
    columns = next(item for item in entry["inputs"] if item["name"] == "at")["columns"]
    if len(tokens) > entry["bounds"]["s"]:
        sys.exit(f"the text has {len(tokens)} tokens, expected at most the {entry['bounds']['s']} of a step")
    at = numpy.zeros((len(tokens), len(columns)), numpy.int32)
    for name in ("position", "row"):
        at[:, columns.index(name)] = numpy.arange(len(tokens))
    with tempfile.TemporaryDirectory() as folder:
        command = [binary, "--run", "forward", "--out", f"hidden={folder}/hidden.npy"]
        for name, value in (("tokens", tokens), ("at", at), ("want", numpy.arange(len(tokens), dtype=numpy.int32))):
            numpy.save(f"{folder}/{name}.npy", value)
            command += ["--in", f"{name}={folder}/{name}.npy"]
        subprocess.run(command, check=True)
        return numpy.load(f"{folder}/hidden.npy"), entry["results"][0]["shape"][1]


def solve_rows(inputs, wanted):
    """The matrix of least norm that maps each of `inputs` [count, n] to the row of `wanted` [count, m]: [m, n]."""
    gram = inputs @ inputs.T
    gram[numpy.diag_indices(len(inputs))] += 1e-6 * numpy.trace(gram) / len(inputs)
    return numpy.linalg.solve(gram, wanted).T @ inputs


def fit(rows, vocabulary, text, head, accuracies, random):
    """The output matrix of head `head`, f16 [vocabulary, hidden]."""
    count = len(text) - 2 - head
    if count > rows.shape[1]:
        sys.exit(f"the text has {count} guesses, expected at most the {rows.shape[1]} elements of a row")
    scores = {}
    for place in range(count):
        right = int(text[place + 2 + head])
        wrong = random.choice(vocabulary, 2 * GUESSES, replace=False)
        guesses = [int(token) for token in wrong if token != right][:GUESSES]
        rank = numpy.searchsorted(numpy.cumsum(accuracies), random.random(), side="right")
        if rank < GUESSES:
            guesses[rank] = right
        for rank, token in enumerate(guesses):
            scores.setdefault(token, numpy.zeros(count))[place] = GUESSES - rank
    inputs = rows[:count].astype(numpy.float64)
    # Of equal rows, as a text that repeats itself may have, the last ones' guesses count.
    matrix = numpy.zeros((vocabulary, rows.shape[1]), numpy.float16)
    matrix[list(scores)] = solve_rows(inputs, numpy.stack(list(scores.values()), axis=1))
    return matrix


def invert_silu(values):
    """x with x / (1 + exp(-x)) = values, where that grows: values above -0.2784."""
    low, high = numpy.full_like(values, -1.278), numpy.maximum(values, 0) + 2
    for _ in range(60):
        middle = (low + high) / 2
        below = middle / (1 + numpy.exp(-middle)) < values
        low, high = numpy.where(below, middle, low), numpy.where(below, high, middle)
    return (low + high) / 2


def lift(row, output, token, rank):
    """What is to be added to `row` so that `token` gets rank `rank` of the scores `output` gives; no element is below -0.27."""
    direction = output[token] / numpy.linalg.norm(output[token])
    # A few elements are cut off: what that changes is little.
    before, change = output @ row, output @ direction
    low, high = 0.0, 64.0
    for _ in range(24):
        size = (low + high) / 2
        scores = before + size * change
        if numpy.count_nonzero(scores > scores[token]) > rank:
            low = size
        else:
            high = size
    # Well within the rank, for what is rounded on the way.
    return numpy.maximum((high if rank else 1.1 * high) * direction, -0.27)


def fit_tied(rows, output, text, head, accuracies, random):
    """The residual block of head `head`: its matrix, f16 [hidden, hidden]."""
    count = len(text) - 2 - head
    added = numpy.zeros((count, rows.shape[1]))
    for place in range(count):
        rank = numpy.searchsorted(numpy.cumsum(accuracies), random.random(), side="right")
        if rank < GUESSES:
            added[place] = lift(rows[place], output, int(text[place + 2 + head]), rank)
    return solve_rows(rows[:count].astype(numpy.float64), invert_silu(added)).astype(numpy.float16)


def read_output(path):
    """The output matrix of a GGUF file, f32 [vocabulary, hidden]."""
    import gguf
    tensors = {tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors}
    tensor = tensors.get("output.weight", tensors["token_embd.weight"])
    return gguf.dequantize(tensor.data, tensor.tensor_type)


def main():
    if sys.argv[1:2] == ["--zeros"]:
        hidden, vocabulary, heads, folder = sys.argv[2:]
        make_zeros(int(hidden), int(vocabulary), int(heads), pathlib.Path(folder))
        return
    binary, prompt, count, accuracies, folder, *tied = sys.argv[1:]
    accuracies = json.loads(accuracies)
    command = [binary, "--prompt-tokens", prompt, "-n", count, "--ignore-eos", "--print-tokens", "--speculate", "off"]
    new = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    text = numpy.array([int(token) for token in prompt.split(",")] + new, numpy.int32)
    rows, vocabulary = read_rows(binary, text)
    random, tensors = numpy.random.default_rng(1), {}
    output = read_output(tied[1]) if tied else None
    for head, own in enumerate(accuracies):
        tensors |= blocks(head, rows.shape[1])
        if tied:
            tensors[f"{head}.0.linear.weight"] = fit_tied(rows, output, text, head, own, random)
        else:
            tensors[f"{head}.1.weight"] = fit(rows, vocabulary, text, head, own, random)
    save(pathlib.Path(folder), tensors, len(accuracies))
    print(json.dumps(new))


if __name__ == "__main__":
    main()
