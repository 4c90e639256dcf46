"""Writes a Hugging Face directory again with weights that are numbers of bf16, and of f16:

    round_weights.py FROM TO [bf16|f16]

They are rounded to bf16 and then to f16, which only touches what is smaller than 2^-14. The last word says what they are
stored as.
"""

import pathlib
import shutil
import sys

import numpy

import safetensors_file


def get_bf16_bits(array):
    """The bits of the nearest bf16, ties to even; finite f32 in, u16 out."""
    bits = array.astype(numpy.float32).view(numpy.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(numpy.uint16)


def round_to_both(array):
    bf16 = (get_bf16_bits(array).astype(numpy.uint32) << 16).view(numpy.float32)
    return bf16.astype(numpy.float16).astype(numpy.float32)


STORED = {"bf16": get_bf16_bits, "f16": lambda array: array.astype(numpy.float16)}


def main():
    source, target = map(pathlib.Path, sys.argv[1:3])
    store = STORED[sys.argv[3] if len(sys.argv) > 3 else "bf16"]
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("expected.safetensors"))
    tensors = safetensors_file.load(source / "model.safetensors")
    safetensors_file.save(target / "model.safetensors",
                          {name: store(round_to_both(array)) for name, array in tensors.items()})


if __name__ == "__main__":
    main()
