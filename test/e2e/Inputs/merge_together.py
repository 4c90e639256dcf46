"""Lets commands merge a row of their own into one file at once: `merge_together.py TEMPLATE PATH COUNT`. The rows are those of the
template, for other numbers of threads. They all wait as long as somebody else holds the folder."""

import fcntl
import json
import os
import subprocess
import sys
import time
from pathlib import Path

template, path, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
before = Path(path).read_bytes()
folder = os.open(Path(path).parent, os.O_RDONLY)
fcntl.flock(folder, fcntl.LOCK_EX)
processes = []
for threads in range(10, 10 + count):
    tree = json.loads(template.read_text())
    tree["rows"] = [tree["rows"][0] | {"threads": threads}]
    own = template.with_suffix(f".{threads}.json")
    own.write_text(json.dumps(tree))
    processes.append(subprocess.Popen(["quern", "tune", "merge", path, str(own), "-o", path]))
time.sleep(1)
if Path(path).read_bytes() != before or any(process.poll() is not None for process in processes):
    sys.exit("the folder was held, but not waited for")
os.close(folder)
sys.exit(max(process.wait() for process in processes))
