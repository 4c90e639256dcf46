"""Counts the kernels in binaries that were assembled for GPUs (QuernModuleImage of quern/Format.h, then an ELF file for CUDA).

    count_cubins.py BINARY...
"""

import pathlib
import re
import struct
import sys

CUDA = struct.pack("<H", 190)


def count(binary, capability):
    head = re.escape(struct.pack("<II", capability, 0)) + b"(.{8})" + re.escape(b"\x7fELF") + b".{14}" + re.escape(CUDA)
    found = [struct.unpack("<Q", match.group(1))[0] for match in re.finditer(head, binary, re.DOTALL)]
    return len([size for size in found if 0 < size < 1 << 20])


def main():
    binaries = [pathlib.Path(path).read_bytes() for path in sys.argv[1:]]
    for capability in (80, 90):
        print(f"sm_{capability}: {count(binaries[0], capability)} kernels, then "
              f"{', '.join(str(count(binary, capability)) for binary in binaries[1:])}")


if __name__ == "__main__":
    main()
