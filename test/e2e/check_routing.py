"""Compares the experts that a compiled mixture chooses with those that an independent implementation does (test/data/README.md).

    check_routing.py BINARY EXPECTED.safetensors PROFILE.json

Every prompt's rows choose the experts of the goldens, in every layer, for any number of threads and size of steps; a profile counts
them. PROFILE.json becomes that of the longest prompt.
"""

import json
import pathlib
import sys
import tempfile

import numpy

import model
import safetensors_file

VARIANTS = [(), ("--threads", "1"), ("--batch", "1"), ("--batch", "7")]


def record(binary, tokens, *options):
    """What `--routing-trace` and `--routing-profile` write of a run for logits."""
    with tempfile.TemporaryDirectory() as folder:
        trace, profile = pathlib.Path(folder, "trace.json"), pathlib.Path(folder, "profile.json")
        model.logits_of(binary, tokens, "--routing-trace", trace, "--routing-profile", profile, *options)
        return json.loads(trace.read_text()), profile.read_text()


def check(name, trace, profile, chosen):
    """`chosen`, by the numbers of layers, is [rows, k]."""
    layers = {int(layer["name"].split("layers.")[1].split(".")[0]): layer for layer in trace["layers"]}
    counted = {int(layer["name"].split("layers.")[1].split(".")[0]): layer for layer in profile["layers"]}
    assert layers.keys() == counted.keys() == chosen.keys(), (name, layers.keys(), chosen.keys())
    for number, wanted in chosen.items():
        found = numpy.sort(numpy.array(layers[number]["chosen"]), axis=1)
        assert found.shape == wanted.shape and (found == wanted).all(), f"{name}, layer {number}: found {found}, expected {wanted}"
        layer = counted[number]
        counts = numpy.bincount(wanted.ravel(), minlength=layer["experts"]).tolist()
        assert layer["counts"] == counts and layer["rows"] == len(wanted), (name, number, layer, counts)


def main():
    binary, expected, kept = sys.argv[1:]
    expected = safetensors_file.load(expected)
    prompts = sorted((name.removesuffix(".input_ids") for name in expected if name.endswith(".input_ids")),
                     key=lambda name: len(expected[name + ".input_ids"]))
    rows = 0
    for prompt in prompts:
        tokens = expected[prompt + ".input_ids"]
        chosen = {int(name.split(".")[3]): numpy.sort(value, axis=1) for name, value in expected.items()
                  if name.startswith(prompt + ".layer.") and name.endswith(".experts")}
        assert chosen, f"{prompt} has no choices"
        rows += sum(len(value) for value in chosen.values())
        for variant in VARIANTS:
            trace, profile = record(binary, tokens, *variant)
            check(f"{prompt} {' '.join(variant)}", trace, json.loads(profile), chosen)
    pathlib.Path(kept).write_text(profile)
    print(f"{len(prompts)} prompts, {rows} rows of layers")


if __name__ == "__main__":
    main()
