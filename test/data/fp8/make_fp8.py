#!/usr/bin/env python3
"""Makes the FP8 checkpoint of this folder, and what its numbers are: `make_fp8.py OUT`. NumPy alone; the same bytes each time.

`model.safetensors` holds F8_E4M3 tensors and their `_scale_inv`: every bit pattern but the two NaNs, blocks that the extents cut, scales
of all kinds (a stack of three matrices, one with bf16 scales). `expected.safetensors` holds each tensor as f32 and, under `NAME.bf16`,
as bf16. The numbers of e4m3 are computed from the format's definition, products in f64, where they are exact, and roundings to nearest
even by scaling to integers.
"""
import json
import pathlib
import struct
import sys

import numpy as np

BLOCK = (16, 32)


def e4m3(bits):
    """Values of e4m3fn: bias 7, 3 bits of mantissa, subnormals of 2^-9."""
    sign = np.where(bits & 0x80, -1.0, 1.0)
    exponent, mantissa = (bits >> 3 & 15).astype(np.int64), (bits & 7).astype(np.float64)
    return sign * np.where(exponent == 0, np.ldexp(mantissa, -9), np.ldexp(8 + mantissa, exponent - 10))


def round_to(values, bits):
    """f64 to the nearest numbers with so many bits of mantissa and f32's least exponent, ties to even."""
    _, exponent = np.frexp(values)
    unit = np.maximum(exponent - bits, -126 - (bits - 1))
    return np.ldexp(np.rint(np.ldexp(values, -unit)), unit)


def write(path, tensors):
    header, data = {}, b""
    for name, (dtype, array) in tensors.items():
        raw = array.tobytes()
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def bf16_bits(values):
    return (values.astype("<f4").view("<u4") >> 16).astype("<u2")


def main():
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    random = np.random.Generator(np.random.PCG64(8))
    patterns = np.array([b for b in range(256) if b & 0x7f != 0x7f], np.uint8)
    shapes = {"wide.weight": (40, 70), "one.weight": (1, 1), "even.weight": (32, 64), "narrow.weight": (17, 31), "stack": (3, 18, 40)}
    stored, expected = {}, {}
    for name, shape in shapes.items():
        q = np.resize(random.permutation(patterns), shape) if np.prod(shape) < 300 else random.choice(patterns, shape)
        q = q.astype(np.uint8)
        if q.size >= 254:
            q.reshape(-1)[:254] = random.permutation(patterns)
        blocks = shape[:-2] + (-(-shape[-2] // BLOCK[0]), -(-shape[-1] // BLOCK[1]))
        scales = (random.lognormal(-8, 1, blocks) * random.choice([1, 1, 1, -1], blocks)).astype("<f4")
        if name == "wide.weight":
            scales.reshape(-1)[:4] = [2.0 ** -7, 0.0, 1e-38, 7e35]
        kind = "F32"
        if name == "even.weight":
            kind, scales = "BF16", np.asarray(round_to(scales.astype(np.float64), 8), "<f4")
        full = np.repeat(np.repeat(scales, BLOCK[0], -2), BLOCK[1], -1)[..., :shape[-2], :shape[-1]]
        single = round_to(e4m3(q) * full.astype(np.float64), 24)
        stored[name] = ("F8_E4M3", q)
        stored[name + "_scale_inv"] = (kind, scales if kind == "F32" else bf16_bits(scales))
        expected[name] = ("F32", single.astype("<f4"))
        expected[name + ".bf16"] = ("BF16", bf16_bits(round_to(single, 8)))
    norm = random.standard_normal(5).astype("<f4")
    stored["norm.weight"] = expected["norm.weight"] = ("F32", norm)
    write(out / "model.safetensors", stored)
    write(out / "expected.safetensors", expected)
    config = {"dtype": "bfloat16", "model_type": "none", "quantization_config": {
        "activation_scheme": "dynamic", "fmt": "e4m3", "modules_to_not_convert": ["lm_head"], "quant_method": "fp8",
        "weight_block_size": list(BLOCK)}}
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n")


main()
