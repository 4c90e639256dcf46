"""Runs a command that is to end with a status: status.py STATUS COMMAND…"""

import subprocess
import sys

found = subprocess.run(sys.argv[2:], capture_output=True, check=False).returncode
if found != int(sys.argv[1]):
    sys.exit(f"status {found}, expected {sys.argv[1]}")
