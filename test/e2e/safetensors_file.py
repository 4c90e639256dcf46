"""Reads and writes safetensors files as NumPy arrays, bf16 by its bits: what the goldens of test/data are stored in."""

import json
import pathlib

import numpy

DTYPES = {"F32": numpy.float32, "I32": numpy.int32, "I64": numpy.int64, "U8": numpy.uint8, "F16": numpy.float16,
          "BF16": numpy.uint16}


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


def save(path, tensors, dtypes={}):
    """Writes arrays of the types above by name; `dtypes` has those of tensors whose arrays are only their bytes."""
    names = {numpy.dtype(dtype): name for name, dtype in DTYPES.items()}
    header, end = {}, 0
    for name, array in tensors.items():
        header[name] = {"dtype": dtypes.get(name) or names[array.dtype], "shape": list(array.shape), "data_offsets": [end, end + array.nbytes]}
        end += array.nbytes
    text = json.dumps(header).encode()
    with pathlib.Path(path).open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for array in tensors.values():
            file.write(array.tobytes())
