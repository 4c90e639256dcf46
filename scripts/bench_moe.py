"""Mixtures of experts with llama.cpp, in tokens per second: files of random blocks in the shapes of OLMoE-1B-7B, cut to 8 layers, and
Qwen3-30B-A3B, cut to 6.

Prefill is `-p` tokens in one batch in an empty context; decode is `-n` single tokens after each of `--depths` tokens. Counted as
llama-bench does: without sampling, after a warm-up. Random weights choose experts as evenly as can be: no cache helps.
"""

import subprocess

from bench_common import CACHE, QUERN, ROOT, numbers, say, summarize, take_turns
from bench_llama import name_tests, run_peer, run_quern

# Name: shape and type of bench_moe's files, and the model file.
MODELS = {"olmoe-q4_0": ("olmoe", "q4_0", "olmoe.qn"), "olmoe-q8_0": ("olmoe", "q8_0", "olmoe.qn"),
          "qwen3-q4_0": ("qwen3moe", "q4_0", "qwen3_moe.qn"), "qwen3-q8_0": ("qwen3moe", "q8_0", "qwen3_moe.qn")}
PACKAGES = ["llama-cpp-python", "gguf"]
# What tests need, so that a context of the models' own length is not laid out.
CONTEXT = 4096


def models(text):
    names = text.split(",")
    for name in names:
        if name not in MODELS:
            raise ValueError(name)
    return names


def add_options(parser):
    parser.add_argument("--models", type=models, default=list(MODELS), help=", ".join(MODELS))
    parser.add_argument("-p", "--prefill", type=int, default=512)
    parser.add_argument("-n", "--decode", type=int, default=64)
    parser.add_argument("--depths", type=numbers, default=[0])


def prepare_checkpoint(python, name):
    shape, kind, _ = MODELS[name]
    target = CACHE / f"{name}.gguf"
    if not target.exists():
        say(f"making {target.name}")
        partial = target.with_suffix(".tmp")
        subprocess.run([python, ROOT / "scripts" / "make_moe_gguf.py", shape, kind, partial], check=True,
                       stdout=subprocess.DEVNULL)
        partial.rename(target)
    return target


def compile_model(checkpoint, name):
    binary = CACHE / name
    say(f"compiling {name}")
    model = ROOT / "frontend" / "models" / MODELS[name][2]
    subprocess.run([QUERN, "compile", model, "--weights", checkpoint, "--ctx", str(CONTEXT), "-o", binary], check=True)
    return binary


def run(python, options):
    rows = []
    for name in options.models:
        checkpoint = prepare_checkpoint(python, name)
        binary = compile_model(checkpoint, name)
        programs = {"quern": lambda: run_quern(binary, options),
                    "llama.cpp": lambda: run_peer(python, "bench_llama_cpp.py", ["time", checkpoint], options)}
        samples = take_turns(name, programs, options.repetitions)
        rows += [{"model": name, "test": test, **summarize(samples[test])} for test in name_tests(options)]
    return {"unit": "tokens per second", "prefill_tokens": options.prefill, "decode_tokens": options.decode,
            "depths": options.depths, "peers": ["llama.cpp"], "rows": rows}
