"""Looks at a cache of compiled kernels, or spoils it.

    cache.py list DIR      name and identity of each entry: a file that was replaced is another one
    cache.py sizes DIR     the size of each entry, then `done`
    cache.py damage DIR    cuts every second entry to nothing, changes the last byte of the others
    cache.py share DIR     lets others write every second entry, puts links in place of the others
    cache.py give DIR      gives the directory to another user; says whether it could
"""

import os
import sys

action, directory = sys.argv[1:]
if action == "give":
    if os.getuid() == 0:
        os.chown(directory, 65534, 65534)
    print("given" if os.getuid() == 0 else "skipped: only the superuser can")
    sys.exit()
for number, name in enumerate(sorted(os.listdir(directory))):
    path = os.path.join(directory, name)
    status = os.stat(path)
    if action == "list":
        print(name, status.st_ino)
    elif action == "sizes":
        print(status.st_size)
    elif action == "share" and number % 2:
        os.chmod(path, 0o620)
    elif action == "share":
        os.rename(path, directory + ".away")
        os.symlink(directory + ".away", path)
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
