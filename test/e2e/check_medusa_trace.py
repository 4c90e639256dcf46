"""Runs Medusa's steps by hand and holds them against those of an independent implementation (test/data/README.md).

    check_medusa_trace.py LIBRARY.so TREE.json TRACE.json EXPECTED.safetensors

Each step of `TRACE.json` reads the same tokens in the same tree, and accepts the same. The tokens are those of decoding
without guesses.
"""

import json
import sys

import numpy

import check_trees
import safetensors_file


class Session(check_trees.Session):
    """A model with heads, and one sequence."""

    def forward(self, before, tokens, ways):
        """Logits and hidden rows after each token."""
        return self.run([(0, before, tokens, ways)])

    def guess(self, hidden):
        """The guesses of each head, [rows, heads, guesses]."""
        shape = self.library.describe()["entries"][1]["results"][0]["shape"]
        return self.library.run(1, [hidden], [numpy.empty((len(hidden), *shape[1:]), numpy.int32)])[0]


def ways_of(paths):
    """The ways to the tokens of a tree of choices, its root first, and each token's head and rank."""
    nodes = [()] + sorted((tuple(path) for path in paths), key=lambda path: (len(path), path))
    ways = [[nodes.index(node[:i]) for i in range(len(node) + 1)] for node in nodes]
    return ways, [(len(node) - 1, node[-1]) for node in nodes[1:]]


def main():
    library, tree, trace, expected = sys.argv[1:]
    session = Session(library, 2)
    ways, choices = ways_of(json.load(open(tree)))
    prompts = safetensors_file.load(expected)
    traces = json.load(open(trace))
    steps = 0
    for number, case in enumerate(traces):
        text = list(case["prompt"])
        if text != prompts[f"prompt.{number}.input_ids"].tolist():
            sys.exit(f"prompt {number} differs from the trace's")
        logits, hidden = session.forward(0, text, None)
        logits, hidden = logits[-1], hidden[-1]
        for step in case["steps"]:
            guesses = session.guess(hidden[None])[0]
            tokens = [int(logits.argmax())] + [int(guesses[head][rank]) for head, rank in choices]
            if tokens != step["tree_tokens"] or len(text) != step["prefix"]:
                sys.exit(f"prompt {number}, {len(text)} tokens: found the tree {tokens}, expected {step['tree_tokens']}")
            rows, states = session.forward(len(text), tokens, ways)
            path = [0]
            while True:
                wanted = int(rows[path[-1]].argmax())
                held = [node for node, way in enumerate(ways) if way[:-1] == path and tokens[node] == wanted]
                if not held:
                    break
                path.append(held[0])
            if path != step["nodes"]:
                sys.exit(f"prompt {number}, {len(text)} tokens: accepted {path}, expected {step['nodes']}")
            # The accepted tokens again, as a text: their rows come to their places.
            again, _ = session.forward(len(text), [tokens[node] for node in path], None)
            if not (again == rows[path]).all():
                sys.exit(f"prompt {number}, {len(text)} tokens: the way {path} has other logits as a text")
            text += [tokens[node] for node in path]
            logits, hidden = rows[path[-1]], states[path[-1]]
            steps += 1
        if text[len(case["prompt"]):][:len(case["greedy"])] != case["greedy"]:
            sys.exit(f"prompt {number}: found the text {text}, expected {case['greedy']}")
    if steps == 0:
        sys.exit(f"{trace} has no steps")


if __name__ == "__main__":
    main()
