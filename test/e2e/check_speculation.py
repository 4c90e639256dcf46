"""Texts with guesses are those without.

    check_speculation.py BINARY VOCABULARY HOW...

12 random prompts, greedy and sampled, alone and several at a time, for each number of threads: the tokens are those of
`--speculate off`. All kinds of guesses together must have held now and then, so that there was something to check.
"""

import json
import random
import subprocess
import sys


def continue_all(binary, prompts, *options):
    """The new tokens after each prompt, a list of tokens, and what `--timing` says of each."""
    texts, timings = [], []
    for prompt in prompts:
        command = [binary, "--prompt-tokens", ",".join(map(str, prompt)), "-n", "24", "--ignore-eos", "--print-tokens",
                   "--timing", "--json", *options]
        result = subprocess.run(command, check=True, capture_output=True, text=True)
        texts.append(json.loads(result.stdout))
        timings.append(json.loads(result.stderr))
    return texts, timings


def main():
    binary, vocabulary, *ways = sys.argv[1:]
    draw = random.Random(7)
    prompts = [[draw.randrange(int(vocabulary)) for _ in range(draw.randrange(1, 9))] * draw.randrange(1, 3) for _ in range(12)]
    held = 0
    for sampling in ([], ["--temperature", "0.4", "--seed", "5", "--repetition-penalty", "1.1"]):
        expected, _ = continue_all(binary, prompts, "--speculate", "off", *sampling)
        for how in ways:
            for threads in ("1", "3"):
                found, timings = continue_all(binary, prompts, "--speculate", how, "--threads", threads, *sampling)
                for prompt, text, other in zip(prompts, found, expected):
                    if text != other:
                        sys.exit(f"{how}, {threads} threads: {prompt} goes on with {text}, expected {other}")
                held += sum(sum(timing["accepted_per_depth"]) for timing in timings)
    if held == 0:
        sys.exit("no guess has held")


if __name__ == "__main__":
    main()
