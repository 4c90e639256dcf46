"""Writes a kernel that is a norm and a product, for `conform` and `kernel-text`, or checks what running it once has counted.

    product.py FORMAT ROWS K N [--groups G SLOTS]
    product.py FORMAT ROWS K N --counts FILE INSTRUCTIONS READS

ROWS: `s` where they are known at run time only; there are then 13. With G groups of N outputs each row chooses SLOTS of them. A
thread may execute INSTRUCTIONS for each byte of the weight, and all of them may read READS times its bytes from global memory.
"""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "conformance"))

from kernels import attributes, block, kernel, tensor

BITS = {"f32": 32, "f16": 16, "q4_0": 4.5, "q4_1": 5, "q8_0": 8.5}
# `conform` runs a kernel for one thread and for three.
RUNS = 2
# A quant on the edge between two may fall to either side.
BOUND = 2e-2


def write(weight, rows, k, n, groups, slots):
    rows = None if rows == "s" else int(rows)
    x, out, w = tensor(rows, k), tensor(rows, n), tensor(n, k, element=block(weight))
    body, left, kind = [f"quern.rms_norm %arg0, %arg1 eps 1.0e-05 : {x}, {tensor(k)}"], "%0", x
    if weight.startswith("q"):
        body.append(f"quern.quantize %0 : {x}")
        left, kind = "%1", tensor(rows, k, element=block("q8_1"))
    arguments, chosen, places, form = [x, tensor(k)], "", "", "contract"
    if groups:
        order, begins = tensor(rows, slots, element="i32"), tensor(groups + 1, element="i32")
        out, w = tensor(rows, slots, n), tensor(groups * n, k, element=block(weight))
        chosen, places, form = " groups(%arg3, %arg4)", f", {order}, {begins}", "experts"
        arguments += [f"packed {w}", order, begins]
    else:
        arguments.append(f"packed {w}")
    body.append(f"quern.matmul {left}, %arg2{chosen} : {kind}, {w}{places}")
    sizes = [13] if rows is None else None
    kernel(f"{weight}_{k}_{n}", arguments, out, attributes(form, BOUND, sizes), body)


def check(weight, k, n, path, instructions, reads):
    size = RUNS * k * n * BITS[weight] / 8
    kernels = json.loads(pathlib.Path(path).read_text())["kernels"]
    executed = sum(counted["instructions"] for counted in kernels) / size
    read = sum(counted["bytes_read"] for counted in kernels) / size
    print(f"{executed:.2f} instructions and {read:.2f} bytes read for each byte")
    if executed > instructions or read > reads:
        sys.exit(f"expected at most {instructions} instructions and {reads} bytes")


def main():
    weight, rows, k, n = sys.argv[1:5]
    if sys.argv[5:6] == ["--counts"]:
        path, instructions, reads = sys.argv[6:]
        return check(weight, int(k), int(n), path, float(instructions), float(reads))
    groups, slots = map(int, sys.argv[6:] or (0, 0))
    return write(weight, rows, int(k), int(n), groups, slots)


if __name__ == "__main__":
    main()
