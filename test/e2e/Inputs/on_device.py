"""Writes a program that is a compiled model with `--device DEVICE`.

    on_device.py DEVICE BINARY PROGRAM
"""

import os
import pathlib
import sys


def main():
    device, binary, program = sys.argv[1:]
    pathlib.Path(program).write_text(f'#!/bin/sh\nexec "{os.path.abspath(binary)}" --device {device} "$@"\n')
    os.chmod(program, 0o755)


if __name__ == "__main__":
    main()
