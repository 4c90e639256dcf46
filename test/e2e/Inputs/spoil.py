"""Writes a spoilt copy of a safetensors file: spoil.py IN.safetensors OUT.safetensors WHAT

WHAT: drop=NAME (a tensor goes), add=NAME (one more, f32[4]), cut=NAME (its first axis loses half its size), nan=NAME (its
fourth element is not a number), half=NAME (so, and stored as F16), bfloat=NAME (the fourth is infinite, and all are stored as BF16), end=N (N bytes fewer).
"""

import json
import sys

import numpy


def main():
    source, target, (what, name) = sys.argv[1], sys.argv[2], sys.argv[3].split("=")
    with open(source, "rb") as file:
        raw = file.read()
    size = int.from_bytes(raw[:8], "little")
    header, data = json.loads(raw[8:8 + size]), raw[8 + size:]
    tensors = {key: (entry, data[slice(*entry["data_offsets"])]) for key, entry in header.items() if key != "__metadata__"}
    if what == "drop":
        del tensors[name]
    elif what == "add":
        tensors[name] = ({"dtype": "F32", "shape": [4]}, bytes(16))
    elif what == "cut":
        entry, content = tensors[name]
        shape = [entry["shape"][0] // 2, *entry["shape"][1:]]
        tensors[name] = ({**entry, "shape": shape}, content[:len(content) // 2])
    elif what == "nan":
        entry, content = tensors[name]
        tensors[name] = (entry, content[:12] + b"\0\0\xc0\x7f" + content[16:])
    elif what in ("half", "bfloat"):
        entry, content = tensors[name]
        halves = numpy.frombuffer(content, numpy.float32).astype(numpy.float16).view(numpy.uint16).copy()
        halves[3] = 0x7E00 if what == "half" else 0x7F80
        tensors[name] = ({**entry, "dtype": "F16" if what == "half" else "BF16"}, halves.tobytes())
    header, data = {}, b""
    for key, (entry, content) in tensors.items():
        header[key] = {**entry, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    raw = len(text).to_bytes(8, "little") + text + data
    with open(target, "wb") as file:
        file.write(raw[:len(raw) - int(name)] if what == "end" else raw)


main()
