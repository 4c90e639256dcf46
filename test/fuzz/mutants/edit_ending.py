"""Copies a compiled model and changes the end of its file (quern/Format.h):
edit_ending.py FROM TO trailer FIELD VALUE | cut BYTES | grow BYTES | data OFFSET VALUE"""

import pathlib
import struct
import sys


def main(source, target, action, first, second="0"):
    data = bytearray(pathlib.Path(source).read_bytes())
    if action == "trailer":
        struct.pack_into("<Q", data, len(data) - 32 + 8 * int(first), int(second))
    elif action == "cut":
        del data[-int(first):]
    elif action == "grow":
        data += bytes(int(first))
    else:
        start, size = struct.unpack_from("<QQ", data, len(data) - 32)
        data[start + int(first) % size] = int(second)
    pathlib.Path(target).write_bytes(data)
    pathlib.Path(target).chmod(0o755)


main(*sys.argv[1:])
