"""Writes Medusa heads with random weights, and their configuration, as FasterDecoding/Medusa does.

    make_medusa_heads.py FOLDER HIDDEN VOCABULARY HEADS LAYERS [--tied] [--equal] [--config KEYS] [--prefix TEXT]
                         [--without NAME]

`--tied` leaves output matrices out, `--equal` makes them zeros, so that all tokens are equally likely. `--config`, JSON, is
what `config.json` says in place of the numbers of heads and layers; `--prefix` stands in front of names; `--without` leaves a
tensor out.
"""

import argparse
import json
import pathlib

import numpy

import safetensors_file


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    for name in ("hidden", "vocabulary", "heads", "layers"):
        parser.add_argument(name, type=int)
    parser.add_argument("--tied", action="store_true")
    parser.add_argument("--equal", action="store_true")
    parser.add_argument("--config", type=json.loads)
    parser.add_argument("--prefix", default="")
    parser.add_argument("--without")
    options = parser.parse_args()
    random = numpy.random.default_rng(options.hidden + options.heads)
    tensors = {}

    def add(name, *shape):
        if name != options.without:
            tensors[options.prefix + name] = random.normal(0, 0.1, shape).astype(numpy.float32)

    for head in range(options.heads):
        for layer in range(options.layers):
            add(f"{head}.{layer}.linear.weight", options.hidden, options.hidden)
            add(f"{head}.{layer}.linear.bias", options.hidden)
        if not options.tied:
            add(f"{head}.{options.layers}.weight", options.vocabulary, options.hidden)
            if options.equal:
                tensors[f"{options.prefix}{head}.{options.layers}.weight"][:] = 0
    options.folder.mkdir(parents=True, exist_ok=True)
    safetensors_file.save(options.folder / "medusa_lm_head.safetensors", tensors)
    config = {"medusa_num_heads": options.heads, "medusa_num_layers": options.layers, "version": "2",
              "base_model_name_or_path": "base", "hidden_size": 1}
    pathlib.Path(options.folder, "config.json").write_text(json.dumps(config if options.config is None else options.config))


if __name__ == "__main__":
    main()
