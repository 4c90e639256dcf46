"""Runs a command in a mount namespace whose /tmp is empty and read-only; says so and ends well where there can be none,
or where the command itself lies there."""

import subprocess
import sys

script = "mount -t tmpfs -o ro none /tmp && command -v \"$1\" > /dev/null || exit 77; exec \"$@\""
done = subprocess.run(["unshare", "--mount", "sh", "-c", script, "sh", *sys.argv[1:]])
if done.returncode == 77 or subprocess.run(["unshare", "--mount", "true"], stderr=subprocess.DEVNULL).returncode != 0:
    print("skipped: no namespace of mounts can be made, or it hides the command")
elif done.returncode != 0:
    sys.exit(f"exit status {done.returncode}")
