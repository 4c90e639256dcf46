"""Runs a command with standard streams that are full, closed or read by nobody.

    streams.py full COMMAND...            the output has no room: status 1 and one message that says so
    streams.py unread COMMAND...          nobody reads the output any more: status 1, not a word
    streams.py closed FILE COMMAND...     descriptors 0 to 2 closed in every combination: FILE is written as if none was
"""

import os
import subprocess
import sys


def fail(*what):
    sys.exit(" ".join(map(str, what)))


def full(*command):
    with open("/dev/full", "wb") as stream:
        result = subprocess.run(command, stdout=stream, stderr=subprocess.PIPE, text=True, timeout=120)
    lines = result.stderr.splitlines()
    if result.returncode != 1 or len(lines) != 1 or "standard output: No space left on device" not in lines[0]:
        fail(command, "status", result.returncode, result.stderr)
    # Messages that nobody sees change nothing.
    with open("/dev/full", "wb") as stream:
        result = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=stream, timeout=120)
    if result.returncode != 0:
        fail(command, "status", result.returncode, "without errors")


def unread(*command):
    reading, writing = os.pipe()
    os.close(reading)
    result = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=120)
    if result.returncode != 1 or result.stderr:
        fail(command, "status", result.returncode, result.stderr)


def closed(path, *command):
    def write(numbers):
        def close():
            for number in numbers:
                os.close(number)
        if os.path.exists(path):
            os.remove(path)
        result = subprocess.run(command, stdin=subprocess.DEVNULL, preexec_fn=close, timeout=120)
        if result.returncode != 0:
            fail(command, "status", result.returncode, "without", numbers)
        with open(path, "rb") as file:
            return file.read()

    expected = write([])
    for combination in range(1, 8):
        numbers = [number for number in range(3) if combination >> number & 1]
        if write(numbers) != expected:
            fail(command, "writes something else without", numbers)


{"full": full, "unread": unread, "closed": closed}[sys.argv[1]](*sys.argv[2:])
