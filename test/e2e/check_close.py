"""Compares the logits of two compiled language models after each token of each prompt of a file of goldens (test/data/README.md):

    check_close.py BINARY OTHER FOLDER MAX_ERROR MEAN_ERROR [--near MARGIN]

The goldens are FOLDER/expected.safetensors. --near: a row may be further off where one of the goldens' routers nearly took another expert
or group of them: the last score that was taken is less than MARGIN above the first that was not. Such rows do not count.
"""

import argparse
import json
import pathlib

import numpy

import model
import safetensors_file


def get_gap(scores, k):
    """How far the k-th largest of the last axis is above the next one."""
    ordered = -numpy.sort(-scores, axis=-1)
    return ordered[..., k - 1] - ordered[..., k] if k < scores.shape[-1] else numpy.full(scores.shape[:-1], numpy.inf)


def get_margins(folder, goldens, prompt):
    """For each row of the prompt how little would have changed the choice of a router."""
    config, margins = json.loads((folder / "config.json").read_text()), []
    tensors = safetensors_file.load(folder / "model.safetensors")
    for name, scores in goldens.items():
        if not name.startswith(prompt + ".layer.") or not name.endswith(".router_logits"):
            continue
        if "n_group" in config:
            layer = name.removesuffix(".router_logits").rpartition(".")[2]
            scores = 1 / (1 + numpy.exp(-scores)) + tensors[f"model.layers.{layer}.mlp.gate.e_score_correction_bias"]
            grouped = scores.reshape(len(scores), config["n_group"], -1)
            best = numpy.sort(grouped, -1)[..., -2:].sum(-1)
            margins.append(get_gap(best, config["topk_group"]))
            is_open = numpy.argsort(numpy.argsort(-best, 1), 1) < config["topk_group"]
            scores = numpy.where(is_open[..., None], grouped, -numpy.inf).reshape(scores.shape)
        margins.append(get_gap(scores, goldens[name.replace("router_logits", "experts")].shape[1]))
    return numpy.min(margins, axis=0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("other")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("max_error", type=float)
    parser.add_argument("mean_error", type=float)
    parser.add_argument("--near", type=float)
    options = parser.parse_args()
    goldens = safetensors_file.load(options.folder / "expected.safetensors")
    prompts = sorted(name.removesuffix(".input_ids") for name in goldens if name.endswith(".input_ids"))
    failures = 0
    for prompt in prompts:
        tokens = goldens[prompt + ".input_ids"]
        error = numpy.abs(model.logits_of(options.binary, tokens) - model.logits_of(options.other, tokens))
        rows = error.max(1)
        is_far = ~(rows <= options.max_error)
        print(f"{prompt}: {len(tokens)} tokens, largest difference {error.max():.3g}, mean {error.mean():.3g}")
        if options.near is not None:
            margins = get_margins(options.folder, goldens, prompt)
            print(f"  nearest choices {numpy.sort(margins)[:3]}; further off: {rows[is_far]} with {margins[is_far]}")
            error = error[~(is_far & (margins < options.near))]
        failures += not (error <= options.max_error).all() or not error.mean() <= options.mean_error
    raise SystemExit(failures or not prompts)


main()
