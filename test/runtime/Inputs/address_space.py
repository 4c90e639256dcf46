"""Runs a command under one limit of its address space after the other, until it has what it needs: until then each run ends
with status 1 and one line. What the system's loader says before the program runs is not the program's.

    address_space.py COMMAND...
"""

import resource
import subprocess
import sys

STEP = 1 << 18


def run(words, size):
    return subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (size, size)))


def main(*words):
    size, refused = 8 * STEP, set()
    while (done := run(words, size)).returncode != 0:
        size += STEP
        text = done.stderr.decode()
        isOurs = ": error: " in text and "shared libraries" not in text
        if not isOurs and not refused and done.returncode in (127, -11):
            continue
        if done.returncode != 1 or len(text.splitlines()) != 1:
            sys.exit(f"{size} bytes: exit status {done.returncode}: {text}")
        refused.add(text.partition(": error: ")[2])
    print(*sorted(refused), sep="", end="")


main(*sys.argv[1:])
