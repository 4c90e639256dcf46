"""Runs a command and checks its exit status: `status.py 2 COMMAND...`. Its error output becomes output, to be checked.

`--stdin HEX` gives it bytes to read; a word `hex:E4` of the command is that byte, which a test file cannot spell.
"""

import os
import subprocess
import sys


def main(arguments):
    expected = int(arguments.pop(0))
    text = b""
    if arguments[0] == "--stdin":
        text = bytes.fromhex(arguments[1])
        arguments = arguments[2:]
    command = [bytes.fromhex(word[4:]) if word.startswith("hex:") else os.fsencode(word) for word in arguments]
    result = subprocess.run(command, input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
    sys.stdout.buffer.write(result.stdout)
    if result.returncode != expected:
        sys.exit(f"exit status {result.returncode}, expected {expected}")


main(sys.argv[1:])
