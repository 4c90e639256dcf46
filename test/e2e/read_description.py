"""Prints a field of the description that a binary ends with (runtime/include/quern/Format.h), as JSON.

    read_description.py BINARY KEY
"""

import json
import pathlib
import sys


def main():
    data = pathlib.Path(sys.argv[1]).read_bytes()
    begin = data.rindex(b'{"entries":')
    description, _ = json.JSONDecoder().raw_decode(data[begin:begin + (64 << 20)].decode("latin-1"))
    print(json.dumps(description[sys.argv[2]], sort_keys=True))


if __name__ == "__main__":
    main()
