"""Writes a Hugging Face directory again with all weights rounded to bf16: round_weights.py FROM TO"""

import pathlib
import shutil
import sys

import numpy

import safetensors_file


def round_to_bf16(array):
    """The bits of the nearest bf16, ties to even; finite f32 in, u16 out."""
    bits = array.astype(numpy.float32).view(numpy.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(numpy.uint16)


def main():
    source, target = map(pathlib.Path, sys.argv[1:])
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("expected.safetensors"))
    tensors = safetensors_file.load(source / "model.safetensors")
    safetensors_file.save(target / "model.safetensors", {name: round_to_bf16(array) for name, array in tensors.items()})


if __name__ == "__main__":
    main()
