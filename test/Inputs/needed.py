"""Prints what a binary needs of the system: `needed.py FILE` writes each library of its dynamic section, one a line, sorted."""

import struct
import sys

NEEDED, STRINGS = 1, 5
LOAD, DYNAMIC = 1, 2


def read_segments(data):
    """(kind, offset in the file, address, bytes in the file) of each program header of a 64-bit little-endian ELF file."""
    (table,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    for i in range(count):
        kind, _, offset, address, _, length = struct.unpack_from("<IIQQQQ", data, table + i * size)
        yield kind, offset, address, length


def needed(data):
    segments = list(read_segments(data))
    (dynamic,) = [(offset, length) for kind, offset, _, length in segments if kind == DYNAMIC]
    entries = [struct.unpack_from("<QQ", data, dynamic[0] + at) for at in range(0, dynamic[1], 16)]
    address = dict(entries)[STRINGS]
    (strings,) = [offset + address - start for kind, offset, start, length in segments
                  if kind == LOAD and start <= address < start + length]
    for tag, value in entries:
        if tag == NEEDED:
            yield data[strings + value:data.index(b"\0", strings + value)].decode()


with open(sys.argv[1], "rb") as file:
    content = file.read()
if content[:6] != b"\x7fELF\x02\x01":
    sys.exit("expected a 64-bit little-endian ELF file")
print("\n".join(sorted(needed(content))))
