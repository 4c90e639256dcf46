"""Checks the model files of a source tree: tree.py SOURCE SYNTAX_PROGRAM."""

import subprocess
import sys
from pathlib import Path


def parses(syntax, path):
    return subprocess.run([syntax, "ast", path], capture_output=True, check=False).returncode == 0


def main(source, syntax):
    shipped = [path for folder in ("frontend", "docs") for path in Path(source, folder).rglob("*.qn")]
    # Tests also hold files with mistakes.
    tests = [path for path in Path(source, "test").rglob("*.qn") if parses(syntax, path)]
    if not tests:
        return "no model files are found"
    status = subprocess.run([syntax, "format", *shipped, *tests], check=False).returncode
    if shipped:
        status |= subprocess.run(["quern", "fmt", "--check", *shipped], check=False).returncode
    return status


sys.exit(main(*sys.argv[1:]))
