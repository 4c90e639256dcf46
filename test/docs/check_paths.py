"""Checks that the files a document names in backticks exist: check_paths.py ROOT DOCUMENT. A name with a placeholder, `<Family>`, stands
for at least one file; what has no slash or ending is no file."""

import re
import sys
from pathlib import Path

PATH = re.compile(r"`((?:[\w.<>-]+/)+[\w.<>-]+|[\w<>-]+\.(?:md|td|cpp|def|h))`")

root = Path(sys.argv[1])
missing = False
for number, line in enumerate((root / sys.argv[2]).read_text(encoding="utf-8").splitlines(), start=1):
    for path in PATH.findall(line):
        if not any(root.glob(re.sub(r"<\w+>", "*", path))):
            print(f"{sys.argv[2]}:{number}: no file `{path}`")
            missing = True
sys.exit(missing)
