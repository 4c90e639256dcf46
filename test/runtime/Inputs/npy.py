"""Writes and compares small arrays without NumPy.

  npy.py write FILE DTYPE SHAPE VALUES      npy.py write x.npy '<i4' 2,3 1,2,3,4,5,6
  npy.py print FILE                         dtype, shape and values
"""

import ast
import struct
import sys

CODES = {"<f4": "f", "<i4": "i", "<i8": "q", "<f8": "d"}


def numbers(text, kind):
    return [kind(word) for word in text.split(",") if word]


def write(path, dtype, shape, values):
    sizes = tuple(numbers(shape, int))
    header = repr({"descr": dtype, "fortran_order": False, "shape": sizes}).encode() + b"\n"
    elements = numbers(values, float if "f" in dtype else int)
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)
        file.write(struct.pack(f"<{len(elements)}{CODES[dtype]}", *elements))


def show(path):
    with open(path, "rb") as file:
        bytes_ = file.read()
    length = struct.unpack("<H", bytes_[8:10])[0]
    header = ast.literal_eval(bytes_[10 : 10 + length].decode())
    code = CODES[header["descr"]]
    body = bytes_[10 + length :]
    print(header["descr"], list(header["shape"]), *[f"{value:g}" for (value,) in struct.iter_unpack("<" + code, body)])


if sys.argv[1] == "write":
    write(*sys.argv[2:])
else:
    show(sys.argv[2])
