"""Runs a binary as a shell does not: `places.py HOW BINARY ARGUMENTS...`, its errors with its output.

nameless: from a descriptor of a file that is deleted, with a name that is none.
root:     with a root folder that holds the binary as `/model` and its libraries alone, no /proc and no /dev.
hidden:   the same, from a descriptor, so that the system shows the binary nowhere.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile


def fill(root, binary):
    """Copies the binary and what `ldd` says that it needs."""
    shutil.copy(binary, os.path.join(root, "model"))
    listed = subprocess.check_output(["ldd", binary], text=True)
    for library in re.findall(r"(/\S+) \(0x", listed):
        os.makedirs(root + os.path.dirname(library), exist_ok=True)
        shutil.copy(library, root + library)


def start(binary, arguments, root=None, is_nameless=False):
    """Runs the binary in a child; its exit status."""
    child = os.fork()
    if child == 0:
        program = os.open(binary, os.O_RDONLY) if is_nameless else binary
        if root:
            os.chroot(root)
            os.chdir("/")
            program = program if is_nameless else "/model"
        elif is_nameless:
            os.unlink(binary)
        os.dup2(1, 2)
        os.execve(program, ["no/such/name", *arguments], {})
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main():
    how, binary, *arguments = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        if how == "nameless":
            copy = shutil.copy(binary, os.path.join(folder, "copy"))
            sys.exit(start(copy, arguments, is_nameless=True))
        fill(folder, binary)
        sys.exit(start(binary, arguments, folder, is_nameless=how == "hidden"))


main()
