"""Lets commands merge a row of their own into one file at once: `merge_together.py TEMPLATE PATH COUNT`. The rows are those of the
template, for other numbers of threads."""

import json
import subprocess
import sys
from pathlib import Path

template, path, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
processes = []
for threads in range(10, 10 + count):
    tree = json.loads(template.read_text())
    tree["rows"] = [tree["rows"][0] | {"threads": threads}]
    own = template.with_suffix(f".{threads}.json")
    own.write_text(json.dumps(tree))
    processes.append(subprocess.Popen(["quern", "tune", "merge", path, str(own), "-o", path]))
sys.exit(max(process.wait() for process in processes))
