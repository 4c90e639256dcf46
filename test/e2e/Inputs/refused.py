"""Runs a command that is to be refused: exit status 1, its message printed, and nothing new in a folder or among the
temporary files.

    refused.py FOLDER [--limit BYTES] COMMAND...

--limit: how large a file may grow, as a disk without room ends a write.
"""

import os
import resource
import subprocess
import sys
import tempfile


def main(arguments):
    folder = arguments.pop(0)
    limit = None
    if arguments[0] == "--limit":
        limit = int(arguments[1])
        arguments = arguments[2:]

    def limit_files():
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    before = sorted(os.listdir(folder))
    with tempfile.TemporaryDirectory() as temporary:
        result = subprocess.run(arguments, env={**os.environ, "TMPDIR": temporary}, preexec_fn=limit_files,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
        left = os.listdir(temporary)
    sys.stdout.buffer.write(result.stdout)
    sys.stdout.flush()
    if result.returncode != 1:
        sys.exit(f"exit status {result.returncode}, expected 1")
    if left or sorted(os.listdir(folder)) != before:
        sys.exit(f"left {left} among temporary files, {sorted(os.listdir(folder))} in the folder of {before}")


main(sys.argv[1:])
