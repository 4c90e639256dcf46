"""Texts with guesses against the same texts without, in tokens per second after the first.

`medusa`: a dense model of random Q8_0 blocks in the shape of Llama-3.2-1B, and heads that are fitted to guess one text as often right as
`--accuracies` say (fit_medusa_heads.py); the tree is built from a calibration on this machine. The first head's first numbers are what
Medusa's authors report of their heads (0.6 for the likeliest guess, above 0.8 for the first five); the others are assumptions.
`tied`: the same heads' accuracies without output matrices of their own, as Medusa 2's files have them, which read the base's.
`vain`: the same with heads that are never right: what a guesser costs that does not help. `lookup`: SmolLM2-135M on a text that repeats
itself. The texts with guesses are checked to be those without.
"""

import json
import subprocess
import tempfile

import bench_llama
from bench_common import CACHE, QUERN, ROOT, say, summarize, take_turns

TESTS = ["medusa", "tied", "vain", "lookup"]
PACKAGES = ["gguf"]
MODELS = ROOT / "frontend" / "models"
HIDDEN, VOCABULARY, LAYERS = 2048, 49152, 16
FIRST = [0.60, 0.10, 0.05, 0.035, 0.025, 0.018, 0.014, 0.011, 0.009, 0.008]
ACCURACIES = [[share * 0.75 ** head for share in FIRST] for head in range(3)]
PROMPT = "2,71,828,1828,459,45,23,5360"
# A text that the model goes on to repeat: it ends with a whole line, after which the next one begins with a word.
REPEATING = "The quick brown fox jumps over the lazy dog.\n" * 8


def add_options(parser):
    parser.add_argument("--tests", type=lambda text: text.split(","), default=TESTS, help=", ".join(TESTS))
    parser.add_argument("--accuracies", type=json.loads, default=ACCURACIES, help="JSON: of each head, of each guess")
    parser.add_argument("-n", "--decode", type=int, default=128)


def compile_heads(name, heads, *more):
    binary = CACHE / f"medusa-{name}"
    say(f"compiling {binary.name}")
    subprocess.run([QUERN, "compile", MODELS / "medusa.qn", "--base", MODELS / "llama.qn", "--weights", CACHE / "llama-1b-q8_0.gguf", "--weights",
                    f"medusa_head={heads}", "--ctx", "1024", *more, "-o", binary], check=True)
    return binary


def prepare_zeros(python, heads):
    """The model with heads that are never right."""
    checkpoint = CACHE / "llama-1b-q8_0.gguf"
    if not checkpoint.exists():
        say(f"making {checkpoint.name}")
        partial = checkpoint.with_suffix(".tmp")
        subprocess.run([python, ROOT / "scripts" / "make_moe_gguf.py", "llama", "q8_0", partial, "--set", f"layers={LAYERS}"], check=True,
                       stdout=subprocess.DEVNULL)
        partial.rename(checkpoint)
    folder = CACHE / f"medusa-zeros-heads-{heads}"
    subprocess.run([python, ROOT / "scripts" / "fit_medusa_heads.py", "--zeros", str(HIDDEN), str(VOCABULARY), str(heads), folder], check=True)
    return compile_heads("zeros", folder)


def prepare_fitted(python, zeros, name, options):
    """The model with heads as right as `options` say, and the tree that is best here."""
    folder = CACHE / f"medusa-{name}-heads"
    say("fitting heads")
    fit = [python, ROOT / "scripts" / "fit_medusa_heads.py", zeros, PROMPT, options.decode, json.dumps(options.accuracies), folder]
    if name == "tied":
        fit += ["--tied", CACHE / "llama-1b-q8_0.gguf"]
    subprocess.run(list(map(str, fit)), check=True, stdout=subprocess.DEVNULL)
    binary = compile_heads(name, folder)
    with tempfile.TemporaryDirectory() as work:
        text, calibration = f"{work}/text.txt", CACHE / "medusa-calibration.json"
        words = subprocess.run([binary, "--prompt-tokens", PROMPT, "-n", str(options.decode), "--ignore-eos", "--speculate", "off"], check=True,
                               stdout=subprocess.PIPE).stdout
        open(text, "wb").write(words)
        subprocess.run([binary, "--calibrate", text, "-o", calibration], check=True)
    # Tokens of random text are not those that its bytes give again: how often guesses are right is what was asked for.
    measured = json.loads(calibration.read_text())
    calibration.write_text(json.dumps(measured | {"accuracies": options.accuracies}))
    return compile_heads(name, folder, "--medusa-calibration", calibration)


def continue_text(binary, prompt, how, options):
    """Tokens per second, and the text."""
    command = [binary, *prompt, "-n", options.decode, "--ignore-eos", "--print-tokens", "--timing", "--json", "--speculate", how, "--threads",
               options.threads]
    result = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True)
    timing = json.loads(result.stderr)
    return timing["tokens_per_second"], result.stdout, timing["tokens_per_step"]


def time_pairs(name, binary, prompt, how, options):
    texts, steps = set(), []

    def time(how):
        rate, text, tokens = continue_text(binary, prompt, how, options)
        texts.add(text)
        steps.append(tokens)
        return {name: rate}

    samples = take_turns(name, {"quern": lambda: time(how), "without guesses": lambda: time("off")}, options.repetitions)
    if len(texts) != 1:
        raise SystemExit(f"bench: {name}: the text with guesses differs from that without")
    return {"model": binary.name, "test": name, "tokens_per_step": max(steps), **summarize(samples[name])}


def run(python, options):
    rows = []
    if {"medusa", "tied", "vain"} & set(options.tests):
        zeros = prepare_zeros(python, len(options.accuracies))
        for name in ("medusa", "tied"):
            if name in options.tests:
                fitted = prepare_fitted(python, zeros, name, options)
                rows.append(time_pairs(name, fitted, ["--prompt-tokens", PROMPT], "medusa", options))
        if "vain" in options.tests:
            rows.append(time_pairs("vain", zeros, ["--prompt-tokens", PROMPT], "medusa", options))
    if "lookup" in options.tests:
        binary = bench_llama.compile_model(bench_llama.prepare_checkpoint(python, "q4_1"), "q4_1")
        rows.append(time_pairs("lookup", binary, [REPEATING], "lookup", options))
    return {"unit": "tokens per second", "decode_tokens": options.decode, "accuracies": options.accuracies, "peers": ["without guesses"],
            "rows": rows}
