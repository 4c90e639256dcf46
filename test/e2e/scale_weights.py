"""Writes a Hugging Face directory again whose keys or values are FACTOR times as large:

    scale_weights.py FROM TO keys|values FACTOR

What reads them is scaled back: queries by 1 / FACTOR, or the projection of attention's result, so that the model is the same.
"""

import pathlib
import shutil
import sys

import numpy

import safetensors_file

SCALED = {"keys": ("k_proj", "q_proj"), "values": ("v_proj", "o_proj")}


def main():
    source, target = map(pathlib.Path, sys.argv[1:3])
    (up, down), factor = SCALED[sys.argv[3]], numpy.float32(sys.argv[4])
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("expected.safetensors"))
    tensors = safetensors_file.load(source / "model.safetensors")

    def scale(name, array):
        return array * factor if f".{up}." in name else array / factor if f".{down}." in name else array
    safetensors_file.save(target / "model.safetensors", {name: scale(name, array) for name, array in tensors.items()})


main()
