"""Holds the tree that `quern explain` builds by calibrations against the best of all.

    check_medusa_tree.py CALIBRATION HEADS -- COMMAND...

The command gets `--json` and `--medusa-calibration CALIBRATION`, files of random accuracies and times that are written for
it. Of all trees of n nodes those with the n - 1 largest products of accuracies are the best; the command's tree has as many
tokens per second as the best n, its own expected tokens, and its time.
"""

import itertools
import json
import pathlib
import subprocess
import sys

import numpy


def write(path, random, heads):
    """A calibration; some guesses are never right, and a step may take much longer with more rows, or hardly."""
    accuracies = numpy.sort(random.dirichlet(numpy.full(12, 0.3), heads)[:, :10])[:, ::-1]
    accuracies[random.random(accuracies.shape) < 0.2] = 0
    rows = [1] + sorted(random.choice(numpy.arange(2, 65), random.integers(0, 6), replace=False).tolist())
    seconds = 1e-3 * (1 + numpy.cumsum(random.exponential(random.choice([0.01, 0.1, 1]), len(rows))))
    path.write_text(json.dumps({"format": "quern-medusa-calibration-1", "positions": 7, "accuracies": accuracies.tolist(),
                                "step_seconds": list(zip(rows, seconds.tolist()))}))
    return accuracies, rows, seconds


def rate(accuracies, node):
    """How often all guesses on the way to the node are right."""
    return float(numpy.prod([accuracies[head][rank] for head, rank in enumerate(node)]))


def main():
    path, heads, command = pathlib.Path(sys.argv[1]), int(sys.argv[2]), sys.argv[4:]
    random = numpy.random.default_rng(7)
    sizes = set()
    for case in range(12):
        accuracies, rows, seconds = write(path, random, heads)
        result = subprocess.run([*command, "--json", "--medusa-calibration", path], check=True, stdout=subprocess.PIPE)
        found = json.loads(result.stdout)["medusa"]
        tree = [tuple(node) for node in found["tree"]]
        assert tree == sorted(set(tree), key=lambda node: (len(node), node)), tree
        assert all(len(node) == 1 or node[:-1] in tree for node in tree), tree
        nodes = (node for depth in range(1, heads + 1) for node in itertools.product(range(10), repeat=depth))
        products = sorted((rate(accuracies, node) for node in nodes), reverse=True)
        tokens = 1 + numpy.cumsum([0.0, *products[:rows[-1] - 1]])
        best = (tokens / numpy.interp(numpy.arange(1, len(tokens) + 1), rows, seconds)).max()
        own = 1 + sum(rate(accuracies, node) for node in tree)
        time = float(numpy.interp(len(tree) + 1, rows, seconds))
        print(f"case {case}: {len(tree) + 1} nodes of {rows[-1]}, {own:.3f} tokens in {time:.3g} s, best {best:.6g} per second")
        assert numpy.isclose(own, found["expected_tokens"], rtol=1e-12), (own, found["expected_tokens"])
        assert numpy.isclose(time * 1e6, found["step_us"], rtol=1e-12), (time, found["step_us"])
        assert numpy.isclose(own / time, best, rtol=1e-9), (own / time, best)
        sizes.add(len(tree) + 1)
    assert min(sizes) == 1 and max(sizes) > 16, sizes


if __name__ == "__main__":
    main()
