"""Prints every n-th kernel of those on standard input, and the kernels that these are held against; with QUERN_CHECK_ALL=1 all.

    sample.py N
"""

import os
import re
import sys


def main():
    step = 1 if os.environ.get("QUERN_CHECK_ALL") == "1" else int(sys.argv[1])
    kernels = re.split(r"(?m)^(?=quern\.kernel )", sys.stdin.read())
    kernels = [kernel for kernel in kernels if kernel.startswith("quern.kernel")]
    names = {re.match(r"quern\.kernel @(\w+)", kernel).group(1): kernel for kernel in kernels}
    wanted = list(names)[::step]
    for name in wanted:
        for other in re.findall(r"conform\.(?:single|equal) = @(\w+)", names[name]):
            if other not in wanted:
                wanted.append(other)
    for name, kernel in names.items():
        if name in wanted:
            print(kernel, end="")


if __name__ == "__main__":
    main()
