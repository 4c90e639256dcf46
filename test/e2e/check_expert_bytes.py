"""Checks what `quern explain` and `--profile` count of experts, and what a binary calls seldom read.

    check_expert_bytes.py BINARY PROFILE.json MODEL.qn WEIGHTS

BINARY is a small Qwen3 mixture in f32, compiled with PROFILE.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import numpy

import safetensors_file

ROWS, SIZE, INNER, CHOSEN, FLOAT = 40, 64, 32, 3, 4


def explain(source, weights, program, *options):
    words = ["quern", "explain", source, "--weights", weights, "--exact", "--json", "--program", program, *options]
    explained = json.loads(subprocess.run(words, check=True, stdout=subprocess.PIPE).stdout)
    return explained["programs"][0]["experts"]


def count_often(counts):
    """The experts that have nine tenths of all choices."""
    order, total = sorted(range(len(counts)), key=lambda e: -counts[e]), 0
    for often, expert in enumerate(order):
        if total >= 0.9 * sum(counts):
            return order[:often]
        total += counts[expert]
    return order


def check_explained(layers, source, weights, profile):
    one = 3 * SIZE * INNER * FLOAT
    every = one * sum(layer["experts"] for layer in layers)
    for rows, program, sizes in ((1, "forward.s1.r1", ()), (ROWS, "forward", ("--size", f"s={ROWS}", "--size", f"r={ROWS}"))):
        found = explain(source, weights, program, *sizes)
        wanted = one * sum(layer["experts"] * (1 - (1 - CHOSEN / layer["experts"]) ** rows) for layer in layers)
        assert not found["profiled"] and found["bytes"] == every and abs(found["read_bytes"] / wanted - 1) < 1e-9, (found, wanted)
        found = explain(source, weights, program, *sizes, "--routing-profile", profile)
        chances = [[1 - (1 - count / layer["rows"]) ** rows for count in layer["counts"]] for layer in layers]
        often = [count_often(layer["counts"]) for layer in layers]
        wanted = {"read_bytes": one * sum(map(sum, chances)), "often_bytes": one * sum(map(len, often)),
                  "often_read_bytes": one * sum(chances[i][e] for i, experts in enumerate(often) for e in experts)}
        assert found["profiled"] and found["bytes"] == every, found
        assert all(abs(found[key] / value - 1) < 1e-9 for key, value in wanted.items()), (found, wanted)
        if rows == 1:
            assert abs(found["read_bytes"] / (one * CHOSEN * len(layers)) - 1) < 1e-9, found
    return every - wanted["often_bytes"]


def check_profiled(binary, tokens):
    """A launch reads the experts that its rows chose, each once."""
    with tempfile.TemporaryDirectory() as folder:
        ids, trace, routing = (pathlib.Path(folder, name) for name in ("ids.npy", "trace.json", "routing.json"))
        numpy.save(ids, tokens)
        subprocess.run([binary, "--logits", ids, "-o", pathlib.Path(folder, "y.npy"), "--trace", trace, "--routing-trace", routing],
                       check=True)
        launches = [event["args"] for event in json.loads(trace.read_text())["traceEvents"] if event["cat"] == "experts"]
        layers = json.loads(routing.read_text())["layers"]
    rows = len(tokens)
    assert len(launches) == 2 * len(layers), launches
    for layer, up, down in zip(layers, launches[::2], launches[1::2]):
        chosen = len({expert for row in layer["chosen"] for expert in row})
        sorting = rows * CHOSEN + layer["experts"] + 1
        wanted_up = FLOAT * (rows * SIZE + sorting + rows * CHOSEN * INNER + chosen * 2 * SIZE * INNER)
        # Slots are combined, and added to what was before, in the same kernel.
        wanted_down = FLOAT * (rows * CHOSEN * INNER + sorting + rows * (CHOSEN + 2 * SIZE) + chosen * SIZE * INNER)
        assert (up["bytes"], down["bytes"]) == (wanted_up, wanted_down), (up, down, wanted_up, wanted_down, chosen)


def main():
    binary, profile, source, weights = sys.argv[1:]
    layers = json.loads(pathlib.Path(profile).read_text())["layers"]
    seldom = check_explained(layers, source, weights, profile)
    info = json.loads(subprocess.run([binary, "--info"], check=True, stdout=subprocess.PIPE).stdout)
    assert info["sizes"]["seldom_read_bytes"] == seldom > 0, (info["sizes"], seldom)
    assert [layer["name"] for layer in info["experts"]] == [layer["name"] for layer in layers], info["experts"]
    expected = safetensors_file.load(pathlib.Path(weights, "expected.safetensors"))
    for prompt in range(3):
        check_profiled(binary, expected[f"prompt.{prompt}.input_ids"])


if __name__ == "__main__":
    main()
