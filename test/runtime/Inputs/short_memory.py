"""Runs a command with ever more memory allowed: it works, or says in one line that it can't; `short_memory.py COMMAND...`."""

import resource
import subprocess
import sys


def run(limit):
    def restrict():
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    return subprocess.run(sys.argv[1:], preexec_fn=restrict, capture_output=True, text=True)


refused = done = 0
for limit in range(9 << 20, 32 << 20, 1 << 20):
    result = run(limit)
    lines = result.stderr.splitlines()
    # The system's loader, which has 127, comes before us; below its needs the system itself ends the process.
    if result.returncode == 127 or (result.returncode < 0 and not lines and not refused):
        continue
    if (result.returncode, len(lines)) not in ((0, 0), (1, 1)):
        sys.exit(f"with {limit} bytes: status {result.returncode}: {result.stderr}")
    done += result.returncode == 0
    refused += result.returncode == 1
print(f"{'some' if refused else 'none'} refused, {'some' if done else 'none'} done")
