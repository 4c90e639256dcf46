"""Writes mixture.safetensors, the weights of mixture.qn: small random numbers, the same at every run."""

import pathlib

import numpy

from make_mlp_weights import write_safetensors

HIDDEN, INNER, EXPERTS = 16, 32, 4


def main():
    generator = numpy.random.RandomState(2)
    normal = lambda *shape: generator.normal(0, 0.3, shape)
    tensors = {"router.weight": normal(EXPERTS, HIDDEN)}
    for expert in range(EXPERTS):
        tensors[f"experts.{expert}.gate_proj.weight"] = normal(INNER, HIDDEN)
        tensors[f"experts.{expert}.up_proj.weight"] = normal(INNER, HIDDEN)
        tensors[f"experts.{expert}.down_proj.weight"] = normal(HIDDEN, INNER)
    write_safetensors(pathlib.Path(__file__).with_name("mixture.safetensors"), tensors)


if __name__ == "__main__":
    main()
