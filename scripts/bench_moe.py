"""Mixtures of experts with llama.cpp, in tokens per second: files of random blocks in the shapes of OLMoE-1B-7B, cut to 8 layers, and
Qwen3-30B-A3B, cut to 6.

Prefill is `-p` tokens in one batch in an empty context; decode is `-n` single tokens after each of `--depths` tokens. Counted as
llama-bench does: without sampling, after a warm-up. Random weights choose experts as evenly as can be: no cache helps.
"""

import subprocess

import bench_llama
from bench_common import CACHE, QUERN, ROOT, say, summarize, take_turns

# Name: shape and type of bench_moe's files, and the model file.
MODELS = {"olmoe-q4_0": ("olmoe", "q4_0", "olmoe.qn"), "olmoe-q8_0": ("olmoe", "q8_0", "olmoe.qn"),
          "qwen3-q4_0": ("qwen3moe", "q4_0", "qwen3_moe.qn"), "qwen3-q8_0": ("qwen3moe", "q8_0", "qwen3_moe.qn")}
PACKAGES = ["llama-cpp-python", "gguf"]
# What tests need, so that a context of the models' own length is not laid out.
CONTEXT = 4096


def add_options(parser):
    bench_llama.add_options(parser, MODELS, depths=[0])


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
        programs = {"quern": lambda: bench_llama.run_quern(binary, options),
                    "llama.cpp": lambda: bench_llama.run_peer(python, "bench_llama_cpp.py", ["time", checkpoint], options)}
        samples = take_turns(name, programs, options.repetitions)
        rows += [{"model": name, "test": test, **summarize(samples[test])} for test in bench_llama.name_tests(options)]
    return {"unit": "tokens per second", "prefill_tokens": options.prefill, "decode_tokens": options.decode,
            "depths": options.depths, "peers": ["llama.cpp"], "rows": rows}
