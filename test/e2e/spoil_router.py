"""Writes a Hugging Face mixture of experts again in which the scores of a router are no numbers, though all weights are:

    spoil_router.py FROM TO LAYER scores|inputs

scores: two experts have large opposite rows in the router of that layer, so that one score is infinite, of which softmax makes NaNs.
inputs: one number of a row is infinite behind the norm in front of it, and the router multiplies it by 0.
"""

import pathlib
import shutil
import sys

import numpy

import safetensors_file


def main():
    source, target = map(pathlib.Path, sys.argv[1:3])
    prefix, what = f"model.layers.{sys.argv[3]}.", sys.argv[4]
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("expected.safetensors"))
    tensors = safetensors_file.load(source / "model.safetensors")
    gate = next(name for name in tensors if name.startswith(prefix) and
                name.endswith(("mlp.gate.weight", "block_sparse_moe.gate.weight", "router.layer.weight")))
    norm = prefix + "post_attention_layernorm.weight"
    tensors |= {gate: tensors[gate].copy(), norm: tensors[norm].copy()}
    if what == "scores":
        tensors[gate][0], tensors[gate][1] = 3e38, -3e38
    else:
        tensors[gate][:, 2:6], tensors[norm][2:6] = 0, 3e38
    safetensors_file.save(target / "model.safetensors", tensors)


main()
