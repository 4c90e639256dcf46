"""Writes a Hugging Face directory again with FP8 weights, and with the numbers that these stand for:

    scale_weights_fp8.py FROM FP8 PLAIN float32|bfloat16

Matrices of layers become e4m3 with an f32 scale for each block of 16 rows and 32 columns; PLAIN has their products in the
type of the last word, which both `config.json` say.
"""

import json
import pathlib
import shutil
import sys

import numpy

import round_weights
import safetensors_file

BLOCK = (16, 32)
# The finite numbers of e4m3fn by their bits.
E4M3 = numpy.array([(-1) ** (b >> 7) * ((b & 7) / 512 if b >> 3 & 15 == 0 else 2.0 ** ((b >> 3 & 15) - 10) * (8 + (b & 7)))
                    for b in range(256) if b & 127 != 127])
BITS = numpy.array([b for b in range(256) if b & 127 != 127], numpy.uint8)


def spread(scales, shape):
    return numpy.repeat(numpy.repeat(scales, BLOCK[0], 0), BLOCK[1], 1)[:shape[0], :shape[1]]


def quantise(array):
    """The bits of the nearest e4m3 of each number, and f32 scales."""
    padded = numpy.pad(numpy.abs(array), [(0, -n % b) for n, b in zip(array.shape, BLOCK)])
    blocks = padded.reshape(padded.shape[0] // BLOCK[0], BLOCK[0], padded.shape[1] // BLOCK[1], BLOCK[1])
    scales = (blocks.max((1, 3)) / 448).astype(numpy.float32)
    wanted = array / spread(scales, array.shape)
    order = numpy.argsort(E4M3, kind="stable")
    values = E4M3[order]
    above = numpy.clip(numpy.searchsorted(values, wanted), 1, len(values) - 1)
    nearest = numpy.where(wanted - values[above - 1] < values[above] - wanted, above - 1, above)
    return order[nearest], scales


def main():
    source, scaled, plain = map(pathlib.Path, sys.argv[1:4])
    dtype = sys.argv[4]
    config = json.loads((source / "config.json").read_text())
    config["dtype"] = dtype
    tensors = safetensors_file.load(source / "model.safetensors")
    fp8, products, dtypes = {}, {}, {}
    for name, array in tensors.items():
        if ".layers." not in name or array.ndim != 2:
            fp8[name] = products[name] = array
            continue
        places, scales = quantise(array.astype(numpy.float64))
        fp8[name], dtypes[name] = BITS[places], "F8_E4M3"
        fp8[name + "_scale_inv"] = scales
        product = (E4M3[places] * spread(scales.astype(numpy.float64), array.shape)).astype(numpy.float32)
        products[name] = round_weights.get_bf16_bits(product) if dtype == "bfloat16" else product
    for target, contents, more in ((plain, products, {}), (scaled, fp8, {"quantization_config": {
            "quant_method": "fp8", "fmt": "e4m3", "activation_scheme": "dynamic", "weight_block_size": list(BLOCK)}})):
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("expected.safetensors"))
        safetensors_file.save(target / "model.safetensors", contents, dtypes if contents is fp8 else {})
        (target / "config.json").write_text(json.dumps({**config, **more}))


if __name__ == "__main__":
    main()
