"""Changes a checkpoint while it is compiled: the file is named, and no output appears.

    changed.py FOLDER MODEL WEIGHTS
"""

import os
import shutil
import subprocess
import sys


def compile(folder, model, weights, change, *arguments):
    """Compiles, and changes a copy of the weights when the passes are done: what is left takes longer. The message."""
    copy = os.path.join(folder, "weights.safetensors")
    shutil.copyfile(weights, copy)
    before = sorted(os.listdir(folder))
    process = subprocess.Popen(["quern", "compile", model, "--weights", copy, "--target", "x86-64-v3", "--no-cache", "--timing",
                                "-o", os.path.join(folder, "out"), *arguments], stderr=subprocess.PIPE, text=True)
    messages = ""
    for line in process.stderr:
        if line.split()[:1] == ["passes"]:
            change(copy)
        if "error" in line:
            messages += line
    status = process.wait(timeout=120)
    if status != 1 or sorted(os.listdir(folder)) != before:
        sys.exit(f"exit status {status}, {os.listdir(folder)}, {messages}")
    print(messages, end="")


def append(path):
    with open(path, "ab") as file:
        file.write(b"more")


def main(folder, model, weights):
    # No page of the file is left; then one is left, with zeros behind its end; then all is there, and more.
    for change in (lambda path: os.truncate(path, 0)), (lambda path: os.truncate(path, 1000)), append, os.utime:
        compile(folder, model, weights, change)


main(*sys.argv[1:])
