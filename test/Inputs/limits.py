"""Runs a command with limits of the system: `limits.py AS=60000000 STACK=65536 COMMAND...`, names as in `resource.RLIMIT_*`."""

import os
import resource
import sys

arguments = sys.argv[1:]
while "=" in arguments[0]:
    name, _, number = arguments.pop(0).partition("=")
    resource.setrlimit(getattr(resource, "RLIMIT_" + name), (int(number), int(number)))
os.execvp(arguments[0], arguments)
