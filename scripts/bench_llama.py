"""SmolLM2-135M-Instruct with llama.cpp and OpenVINO GenAI, in tokens per second.

The checkpoint is the demo's (GGUF Q4_1); the other formats are made from it with llama.cpp's own quantiser. F16 is run three
times: as it is, full of numbers that only f16 has, when OpenVINO is held to f32; with `--precision bf16`, which OpenVINO
chooses by itself, too; and `bf16-as-f16`, made from BF16, as most checkpoints in F16 are. Prefill is `-p`
tokens in one batch in an empty context; decode is `-n` single tokens after each of `--depths` tokens. Counted as
llama-bench does: without sampling, after a warm-up.
"""

import subprocess
from typing import NamedTuple

from bench_common import CACHE, QUERN, ROOT, numbers, run_json, say, summarize, take_turns

MODEL = ROOT / "frontend" / "models" / "llama.qn"
# llama.cpp's numbers of the formats (llama_ftype).
FORMATS = {"q4_1": 3, "q4_0": 2, "q8_0": 7, "f16": 1, "bf16": 32, "bf16-as-f16": 1}


# What a format is made from, where that is not the demo's checkpoint.
SOURCES = {"bf16-as-f16": "bf16"}


class Model(NamedTuple):
    checkpoint: str
    # What weights of f16 are multiplied in by Quern, and what all are by OpenVINO.
    precision: str = "f32"
    openvino: str = "default"


MODELS = {name: Model(name) for name in FORMATS} | {"f16": Model("f16", "f32", "f32"), "f16-bf16": Model("f16", "bf16")}
PACKAGES = ["llama-cpp-python", "openvino-genai"]


def add_options(parser, known=MODELS, depths=(0, 1024)):
    """The models to run, of those that are `known`, and what is timed of them."""
    def models(text):
        names = text.split(",")
        for name in names:
            if name not in known:
                raise ValueError(name)
        return names

    parser.add_argument("--models", type=models, default=list(known), help=", ".join(known))
    parser.add_argument("-p", "--prefill", type=int, default=512)
    parser.add_argument("-n", "--decode", type=int, default=64)
    parser.add_argument("--depths", type=numbers, default=list(depths))


def prepare_checkpoint(python, name):
    """The checkpoint in format `name`."""
    subprocess.run([ROOT / "scripts" / "fetch-checkpoint"], check=True, stdout=subprocess.DEVNULL)
    source = ROOT / ".cache" / "SmolLM2-135M-Instruct.Q4_1.gguf"
    if name == "q4_1":
        return source
    if name in SOURCES:
        source = prepare_checkpoint(python, SOURCES[name])
    target = CACHE / f"smollm2-{name}.gguf"
    if not target.exists():
        say(f"quantising to {name}")
        partial = target.with_suffix(".tmp")
        subprocess.run([python, ROOT / "scripts" / "bench_llama_cpp.py", "quantise", source, partial,
                        str(FORMATS[name])], check=True, stderr=subprocess.DEVNULL)
        partial.rename(target)
    return target


def compile_model(checkpoint, name):
    binary = CACHE / f"smollm2-{name}"
    say(f"compiling {name}")
    subprocess.run([QUERN, "compile", MODEL, "--weights", checkpoint, "--precision", MODELS[name].precision, "-o", binary],
                   check=True)
    return binary


def name_tests(options):
    return [f"prefill {options.prefill}", *(f"decode at {depth}" for depth in options.depths)]


def run_quern(binary, options):
    """One process per test: tokens, of which new ones, and depth."""
    tests = [(options.prefill, 0, 0), *((0, options.decode, depth) for depth in options.depths)]
    rates = [run_json([binary, "--bench", "--json", "-p", prompt, "-n", new, "--depth", depth, "--threads",
                       options.threads, "-r", 1])[0]["avg_ts"] for prompt, new, depth in tests]
    return dict(zip(name_tests(options), rates))


def run_peer(python, script, arguments, options):
    rates = run_json([python, ROOT / "scripts" / script, *arguments, options.prefill, options.decode, options.threads,
                      *options.depths], quiet=True)
    return dict(zip(name_tests(options), rates))


def run(python, options):
    rows = []
    for name in options.models:
        checkpoint = prepare_checkpoint(python, MODELS[name].checkpoint)
        binary = compile_model(checkpoint, name)
        peers = {"llama.cpp": ("bench_llama_cpp.py", ["time", checkpoint]),
                 "OpenVINO": ("bench_openvino.py", ["time", checkpoint, MODELS[name].openvino])}
        programs = {"quern": lambda: run_quern(binary, options)}
        for peer, (script, arguments) in peers.items():
            programs[peer] = lambda script=script, arguments=arguments: run_peer(python, script, arguments, options)
        samples = take_turns(name, programs, options.repetitions)
        rows += [{"model": name, "test": test, **summarize(samples[test])} for test in name_tests(options)]
    return {"unit": "tokens per second", "prefill_tokens": options.prefill, "decode_tokens": options.decode,
            "depths": options.depths, "peers": list(peers), "rows": rows}
