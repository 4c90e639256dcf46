"""Writes mlp.safetensors, the weights of mlp.qn: small random numbers, the same at every run."""

import json
import pathlib

import numpy

HIDDEN, INNER = 16, 32


def write_safetensors(path, tensors):
    """The safetensors format: header size, JSON header, data."""
    header, data = {}, b""
    for name, array in sorted(tensors.items()):
        raw = array.astype("<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


def main():
    generator = numpy.random.RandomState(1)
    normal = lambda *shape: generator.normal(0, 0.2, shape)
    write_safetensors(pathlib.Path(__file__).with_name("mlp.safetensors"), {
        "norm.weight": 1 + normal(HIDDEN),
        "up.weight": normal(INNER, HIDDEN),
        "up.bias": normal(INNER),
        "down.weight": normal(HIDDEN, INNER),
    })


if __name__ == "__main__":
    main()
