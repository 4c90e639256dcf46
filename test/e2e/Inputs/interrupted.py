"""Runs a compilation again and again, ends it each time with another signal or in another phase, and sees that it leaves
nothing in a folder or among the temporary files.

    interrupted.py FOLDER COMMAND...

COMMAND prints a line with the name of each phase when it ends (--timing).
"""

import os
import signal
import subprocess
import sys
import tempfile


SIGNALS = signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL


def expect_signals():
    """Whoever runs the tests in the background may have them ignored."""
    for number in SIGNALS[:-1]:
        signal.signal(number, signal.SIG_DFL)


def run(command, temporary, phase, number):
    """Sends the signal when `phase` has ended; the exit status."""
    process = subprocess.Popen(command, env={**os.environ, "TMPDIR": temporary}, preexec_fn=expect_signals,
                               stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if line.split()[:1] == [phase]:
            process.send_signal(number)
            break
    process.stderr.read()
    return process.wait()


def main(folder, *command):
    before = sorted(os.listdir(folder))
    for phase in "passes", "kernels", "runtime":
        for number in SIGNALS:
            with tempfile.TemporaryDirectory() as temporary:
                status = run(command, temporary, phase, number)
                left = os.listdir(temporary)
            if status != -number:
                sys.exit(f"exit status {status} after {number.name} behind {phase}, expected {-number}")
            if left or sorted(os.listdir(folder)) != before:
                sys.exit(f"{number.name} behind {phase} left {left} among temporary files, {os.listdir(folder)} in the folder")


main(*sys.argv[1:])
