"""check_typical.py PROGRAM FOLDER: the paths that the program accepts are those of the reference.

FOLDER has `tree.json` and, in `expected.safetensors`, `typical.*` of test/data/README.md: candidates [N, T], logits
[N, T, V], temperature, epsilon, delta [N], and the answer `path`, `length` [N]; `buffers.paths` [P, depth + 1] are the
leaves. Guesses behind one token may be equal in these cases, so that paths are compared by their tokens.
"""

import json
import struct
import subprocess
import sys

import numpy


def read(path):
    data = open(path, "rb").read()
    size = struct.unpack("<Q", data[:8])[0]
    types = {"F32": "<f4", "I32": "<i4", "U8": "u1"}
    tensors = {}
    for name, entry in json.loads(data[8:8 + size]).items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            tensors[name] = numpy.frombuffer(data[8 + size + begin:8 + size + end], types[entry["dtype"]]).reshape(entry["shape"])
    return tensors


def main(program, folder):
    tensors = read(folder + "/expected.safetensors")
    nodes = [()] + sorted((tuple(path) for path in json.load(open(folder + "/tree.json"))), key=lambda path: (len(path), path))
    parents = [-1] + [nodes.index(path[:-1]) for path in nodes[1:]]
    case = lambda name: tensors["typical." + name]
    lines, expected = [], []
    for i in range(len(case("path"))):
        logits = case("logits")[i]
        numbers = [case("temperature")[i], case("epsilon")[i], case("delta")[i], *logits.shape]
        numbers += [number for pair in zip(parents, case("candidates")[i]) for number in pair]
        lines.append(" ".join(map(repr, map(float, numbers[:3]))) + " " + " ".join(str(int(n)) for n in numbers[3:]) + " "
                     + " ".join(repr(float(x)) for x in logits.flat))
        leaves = tensors["buffers.paths"][case("path")[i]]
        expected.append([int(node) for node in leaves[:case("length")[i] + 1]])
    result = subprocess.run([program, "typical"], input="\n".join(lines) + "\n", capture_output=True, text=True, check=True)
    found = [list(map(int, line.split())) for line in result.stdout.splitlines()]
    if len(found) != len(expected) or not expected:
        sys.exit(f"found {len(found)} answers, expected {len(expected)}")
    for i, paths in enumerate(zip(found, expected)):
        path, other = ([int(case("candidates")[i][node]) for node in nodes] for nodes in paths)
        if path != other:
            sys.exit(f"case {i}: found the tokens {path}, expected {other}")


main(*sys.argv[1:])
