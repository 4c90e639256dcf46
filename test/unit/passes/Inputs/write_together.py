"""Lets processes add a row each to one file at once: `write_together.py PROGRAM PATH COUNT`."""

import subprocess
import sys

program, path, count = sys.argv[1:]
processes = [subprocess.Popen([program, "add", path, str(threads)]) for threads in range(1, int(count) + 1)]
sys.exit(max(process.wait() for process in processes))
