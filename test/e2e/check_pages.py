"""Checks that texts that share pages of the caches are what each is alone.

    check_pages.py MODEL OPTIONS...

Prompts that begin alike, up to within a page, at its end, and beyond it, one at a time in processes of their own, and
together in stores of several sizes, by one and three threads.
"""

import json
import random
import subprocess
import sys
import tempfile

NEW_TOKENS = 12


def write(options):
    """The new tokens of each text, and how many of its prompt were known."""
    done = subprocess.run(options + ["-n", str(NEW_TOKENS), "--ignore-eos", "--print-tokens", "--timing", "--json"],
                          capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{options}: {done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()], [json.loads(line)["known_tokens"] for line in done.stderr.splitlines()
                                                                     if line.startswith("{")]


def main():
    model, options = sys.argv[1:2], sys.argv[2:]
    draw = random.Random(1)
    letters = "QZXJ#%"  # single tokens of tests' tokenizers, however they stand
    text = [draw.choice(letters) for _ in range(700)]
    prompts = []
    for common in (0, 30, 255, 256, 257, 300, 600, 600, 511, 700):
        prompts.append("".join(text[:common] + [draw.choice(letters) for _ in range(draw.randrange(1, 40))]))
    alone = [write(model + [prompt] + options)[0][0] for prompt in prompts]
    with tempfile.NamedTemporaryFile("w") as file:
        file.write("\n".join(prompts))
        file.flush()
        for more in (["-np", "1"], ["-np", "3"], ["-np", "10", "-t", "3"], ["-np", "4", "--cache-rows", "1024", "-t", "3"],
                     ["-np", "10", "--cache-rows", "2100"]):
            together, known = write(model + ["--prompts", file.name] + more + options)
            if together != alone:
                sys.exit(f"{more}: other texts than each is alone: {[a == b for a, b in zip(alone, together)]}")
            if sum(known) < 1000:
                sys.exit(f"{more}: {known} tokens were known")
            print(" ".join(more), known)


if __name__ == "__main__":
    main()
