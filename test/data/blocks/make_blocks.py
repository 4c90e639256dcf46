"""Random blocks of every quantised format and their numbers, by the `gguf` package (0.19.0, numpy 2.4.6).

    python make_blocks.py blocks.safetensors

`FORMAT.bytes` u8 [8, bytes of a block], `FORMAT.values` f32 [8, numbers in a block].
"""

import json
import struct
import sys

import numpy as np
from gguf import GGMLQuantizationType as Q
from gguf import GGML_QUANT_SIZES, quants

FORMATS = ["Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q4_K", "Q5_K", "Q6_K"]
# Offsets of the f16 numbers in a block; all other bytes may be anything.
HALVES = {"Q8_0": [0], "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208]}
BLOCKS = 8


def blocks(name, random):
    size = GGML_QUANT_SIZES[Q[name]][1]
    data = random.integers(0, 256, (BLOCKS, size), dtype=np.uint8)
    for offset in HALVES[name]:
        # The first block has a subnormal number, the others normal ones of both signs.
        numbers = random.normal(0, 0.1, BLOCKS).astype(np.float16)
        numbers[0] = np.float16(3e-7)
        data[:, offset : offset + 2] = numbers.view(np.uint8).reshape(BLOCKS, 2)
    return data


def main(path):
    random = np.random.default_rng(1)
    header, payload = {}, b""
    for name in FORMATS:
        data = blocks(name, random)
        values = quants.dequantize(data, Q[name]).astype(np.float32)
        for key, dtype, array in ((".bytes", "U8", data), (".values", "F32", values)):
            raw = np.ascontiguousarray(array).tobytes()
            header[name + key] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [len(payload), len(payload) + len(raw)]}
            payload += raw
    text = json.dumps(header).encode()
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + payload)


main(sys.argv[1])
