"""What the checks of this folder share: the files of a tree, and reporting."""

import re
import sys
from pathlib import Path

# Folders that hold no source: built, fetched or copied in.
SKIPPED = {".git", ".venv", ".venv-bench", ".venv-bench-tvm", ".cache", "build", "target", "__pycache__"}


def files(root, suffixes, folders=None):
    """Paths, relative to `root`, of the files with one of `suffixes`, in a stable order."""
    found = []
    for start in [root] if folders is None else [root / folder for folder in folders]:
        for path in start.rglob("*"):
            relative = path.relative_to(root)
            if path.suffix in suffixes and not SKIPPED.intersection(relative.parts) and path.is_file():
                found.append(relative)
    return sorted(found)


def is_data(path):
    """Whether a file is another implementation's data (or the script that made it) and not ours to shape."""
    return path.parts[:2] == ("test", "data")


def lines(root, path):
    """The numbered lines of a file."""
    return enumerate((root / path).read_text(encoding="utf-8").splitlines(), start=1)


def rows(root, name):
    """The words of each line of the list `name` beside the checks of a tree; none where there is no list."""
    path = root / "test" / "layering" / name
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [line.split() for line in lines if line and not line.startswith("#")]


def code(root, path):
    """The text of a C++ file without comments and without what its literals hold, its lines in their places."""
    text = (root / path).read_text(encoding="utf-8")
    return re.sub(r'//[^\n]*|"(?:[^"\\\n]|\\.)*"', lambda match: '""' if match[0][0] == '"' else "", text)


def enclosed(text, start):
    """What the bracket at `start` encloses in C++; brackets in comments and literals are none."""
    closing = {"(": ")", "{": "}"}[text[start]]
    depth = 0
    for token in re.finditer(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*|[(){}]', text[start:]):
        depth += (token[0] == text[start]) - (token[0] == closing)
        if depth == 0 and token[0] == closing:
            return text[start : start + token.start()]
    return text[start:]


def run(check):
    """Runs `check(root)`, which yields complaints; ends the program with 1 if there are any."""
    complaints = sorted(set(check(Path(sys.argv[1]))))
    for complaint in complaints:
        print(complaint)
    sys.exit(1 if complaints else 0)
