"""Runs the compiler without /proc, where that can be arranged: `no_proc.py FOLDER EXAMPLES`."""

import os
import subprocess
import sys

WITHOUT_PROC = ["unshare", "-rm", "sh", "-c", 'mount -t tmpfs none /proc && exec "$@"', "sh"]


def compile(examples, *arguments, under=WITHOUT_PROC):
    command = ["quern", "compile", f"{examples}/mlp.qn", "--weights", f"{examples}/mlp.safetensors", "--target", "x86-64-v3"]
    return subprocess.run([*under, *command, *arguments], capture_output=True, text=True, timeout=120)


def main(folder, examples):
    if subprocess.run([*WITHOUT_PROC, "true"], capture_output=True).returncode != 0:
        return print("skipped: nothing can be mounted")
    path = f"{folder}/graph"
    graph = compile(examples, "--emit", "graph", "-o", path)
    with open(path) as file:
        if graph.returncode != 0 or file.read() != compile(examples, "--emit", "graph", under=[]).stdout:
            sys.exit(f"another graph: {graph}")
    code = compile(examples, "-o", f"{folder}/mlp")
    message = "quern: error: cannot find `/proc/self/fd`; compiling needs `/proc` to be mounted\n"
    if code.returncode != 1 or code.stderr != message or os.listdir(folder) != ["graph"]:
        sys.exit(f"{code}, {os.listdir(folder)}")
    print("the same graph, and one message")


main(*sys.argv[1:])
