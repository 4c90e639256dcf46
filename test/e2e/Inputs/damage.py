"""Writes a damaged copy of a binary: damage.py BINARY COPY cut=N|flip=N (counted from the end, in bytes)"""

import os
import pathlib
import sys

source, target, (what, count) = sys.argv[1], sys.argv[2], sys.argv[3].split("=")
content = bytearray(pathlib.Path(source).read_bytes())
if what == "cut":
    del content[-int(count):]
else:
    content[-int(count)] ^= 0x55
pathlib.Path(target).write_bytes(content)
os.chmod(target, 0o755)
