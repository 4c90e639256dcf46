"""Reads a safetensors file into NumPy arrays: what the goldens of test/data are stored in."""

import json

import numpy

DTYPES = {"F32": numpy.float32, "I32": numpy.int32, "U8": numpy.uint8, "F16": numpy.float16}


def load(path):
    """All tensors of the file by name."""
    with open(path, "rb") as file:
        header_size = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(header_size))
        data = file.read()
    header.pop("__metadata__", None)
    return {name: numpy.frombuffer(data[entry["data_offsets"][0]:entry["data_offsets"][1]],
                                   DTYPES[entry["dtype"]]).reshape(entry["shape"])
            for name, entry in header.items()}
