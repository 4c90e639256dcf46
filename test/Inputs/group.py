"""Runs a command in a control group of its own with a limit on memory: `group.py MEBIBYTES COMMAND...`, with its exit status.

The group is made below the one that this process is in, and removed afterwards. `check()` says why that can't be done here.
"""

import os
import subprocess
import sys
import tempfile
import time

LIMITS = {"cgroup": "memory.limit_in_bytes", "cgroup2": "memory.max"}


def find_parent():
    """This process's group of memory, and its version by the name of its file system."""
    with open("/proc/self/cgroup") as file:
        groups = [line.rstrip("\n").split(":", 2) for line in file]
    with open("/proc/self/mountinfo") as file:
        mounts = [line.split() for line in file]
    for mount in mounts:
        system, options = mount[mount.index("-") + 1], mount[-1].split(",")
        for _, controllers, path in groups:
            is_there = "memory" in controllers.split(",") and "memory" in options if system == "cgroup" else not controllers
            folder = mount[4] + path.removeprefix(mount[3].rstrip("/"))
            if system in LIMITS and is_there and (system == "cgroup" or os.path.exists(folder + "/memory.max")):
                return folder, system
    raise OSError("no group limits memory")


def make(mebibytes):
    """A new group, as its folder."""
    parent, system = find_parent()
    group = tempfile.mkdtemp(prefix="quern-test-", dir=parent)
    try:
        with open(os.path.join(group, LIMITS[system]), "w") as file:
            file.write(str(mebibytes << 20))
    except OSError:
        os.rmdir(group)
        raise
    return group


def remove(group):
    """Removes a group, which a process that has just ended may still hold for a moment."""
    for _ in range(50):
        try:
            return os.rmdir(group)
        except OSError:
            time.sleep(0.02)


def enter(group):
    with open(os.path.join(group, "cgroup.procs"), "w") as file:
        file.write(str(os.getpid()))


def run(mebibytes, command):
    group = make(mebibytes)
    try:
        return subprocess.run(command, preexec_fn=lambda: enter(group)).returncode
    finally:
        remove(group)


def check():
    """Why no group can be made and entered, or nothing."""
    try:
        return None if run(64, ["true"]) == 0 else "a process in a group failed"
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)


if __name__ == "__main__":
    sys.exit(run(int(sys.argv[1]), sys.argv[2:]))
