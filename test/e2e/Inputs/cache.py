"""Looks at a cache of compiled kernels, or spoils it.

    cache.py list DIR      name and identity of each entry: a file that was replaced is another one
    cache.py sizes DIR     the size of each entry, then `done`
    cache.py damage DIR    cuts every second entry to nothing, changes the last byte of the others
"""

import os
import sys

action, directory = sys.argv[1:]
for number, name in enumerate(sorted(os.listdir(directory))):
    path = os.path.join(directory, name)
    status = os.stat(path)
    if action == "list":
        print(name, status.st_ino)
    elif action == "sizes":
        print(status.st_size)
    elif number % 2:
        os.truncate(path, 0)
    else:
        with open(path, "r+b") as file:
            file.seek(-1, os.SEEK_END)
            last = file.read(1)[0]
            file.seek(-1, os.SEEK_END)
            file.write(bytes([last ^ 1]))
if action == "sizes":
    print("done")
