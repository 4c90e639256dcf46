"""Runs a command in a process that may not have much: status 1 and one line that says what is lacking.

    limited.py WHAT COMMAND...    WHAT: `descriptors`, `stack`, `files` or `processes`
"""

import os
import resource
import subprocess
import sys


def limit(what):
    """Sets the limit in the process that is to be; what it stands for as a number."""
    limits = {"descriptors": (resource.RLIMIT_NOFILE, 5), "stack": (resource.RLIMIT_STACK, 1 << 20), "files": (resource.RLIMIT_FSIZE, 1000), "processes": (resource.RLIMIT_NPROC, 1)}
    if what == "processes" and os.getuid() == 0:
        # The superuser may start any number.
        os.setgid(65534)
        os.setuid(65534)
    number, value = limits[what]
    resource.setrlimit(number, (value, value))


def main(what, *command):
    def can_read(path):
        result = subprocess.run(["test", "-r", path], preexec_fn=lambda: limit(what))
        return result.returncode == 0

    if what == "processes" and not all(can_read(word) for word in command if os.path.exists(word)):
        return print("skipped: another user cannot read the files")
    result = subprocess.run(command, preexec_fn=lambda: limit(what), capture_output=True, text=True, timeout=120)
    print(result.stderr, end="")
    if result.returncode != 1 or len(result.stderr.splitlines()) != 1:
        sys.exit(f"exit status {result.returncode}, {len(result.stderr.splitlines())} lines")


main(*sys.argv[1:])
