"""Prints the kernels on standard input and, of each, one for every other value of every knob that its form has on a device
(dialect/Schedules.def), which has the bits that the kernel has without: knobs do not change what is computed.

    device-knobs.py THREADS    the most that a block may have
"""

import re
import sys
from pathlib import Path

ROW = re.compile(r'QUERN_DEVICE_KNOB\((\w+), (\w+), \(([\d, ]+)\)')


def read_knobs():
    """By form, its knobs with their values."""
    knobs = {}
    for form, name, values in ROW.findall((Path(__file__).parents[2] / "dialect/Schedules.def").read_text()):
        knobs.setdefault(form.lower(), {})[name] = [int(value) for value in values.split(", ")]
    return knobs


def main():
    most, knobs = int(sys.argv[1]), read_knobs()
    kernels = re.split(r"(?m)^(?=quern\.kernel )", sys.stdin.read())
    for kernel in kernels:
        found = re.match(r"quern\.kernel @(\w+)", kernel)
        if not found:
            continue
        # Schedules of processors, and what else it is held against, are its own test.
        kernel = re.sub(r", (schedule = #quern\.schedule<\{.*?\}>|conform\.(single|equal) = @\w+)", "", kernel)
        print(kernel, end="")
        for knob, values in knobs[re.search(r"#quern\.form<(\w+)>", kernel)[1]].items():
            for value in values:
                if knob == "threads" and value > most:
                    continue
                variant = kernel.replace(f"@{found[1]}(", f"@{found[1]}_{knob}_{value}(", 1)
                schedule = f"conform.equal = @{found[1]}, schedule = #quern.schedule<{{{knob} = {value} : i64}}>, "
                print(variant.replace("attributes {", "attributes {" + schedule, 1), end="")


if __name__ == "__main__":
    main()
