"""Writes a safetensors file of zeros: tensors.py FILE NAME=2x3[:TYPE]…"""

import json
import math
import struct
import sys

header, offset = {}, 0
for argument in sys.argv[2:]:
    name, _, shape = argument.partition("=")
    shape, _, dtype = shape.partition(":")
    shape = [int(size) for size in shape.split("x")]
    size = math.prod(shape) * {"": 4, "I64": 8}[dtype]
    header[name] = {"dtype": dtype or "F32", "shape": shape, "data_offsets": [offset, offset + size]}
    offset += size
text = json.dumps(header).encode()
with open(sys.argv[1], "wb") as file:
    file.write(struct.pack("<Q", len(text)) + text + bytes(offset))
