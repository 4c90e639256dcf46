"""C++ is formatted as .clang-format says, by the clang-format beside this Python: `clang-format -i FILE` mends a file."""

import subprocess
import sys
from pathlib import Path

import tree

SUFFIXES = {".c", ".cpp", ".h"}


def check(root):
    paths = [path for path in tree.files(root, SUFFIXES) if not tree.is_data(path)]
    program = Path(sys.executable).parent / "clang-format"
    style = f"--style=file:{root / '.clang-format'}"
    for first in range(0, len(paths), 50):
        command = [program, style, "--dry-run", "--ferror-limit=1", *paths[first : first + 50]]
        result = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
        for line in result.stderr.splitlines():
            if "[-Wclang-format-violations]" in line:
                yield line


tree.run(check)
