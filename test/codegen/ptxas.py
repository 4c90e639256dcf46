"""Assembles a folder of PTX files for two kinds of GPUs, and checks what NVIDIA's assembler says of each kernel.

    ptxas.py PTXAS FOLDER [NAME=BYTES...]

No kernel spills registers or takes more than 128 of them; none has a stack frame, but those whose names contain NAME, of BYTES at
most: the test says why.
"""

import concurrent.futures
import pathlib
import re
import subprocess
import sys

MOST_REGISTERS = 128


def assemble(ptxas, path, architecture):
    """The kernels of a file: (name, bytes of its frame, bytes spilled, registers)."""
    command = [ptxas, f"-arch={architecture}", "-v", "-o", "/dev/null", path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{path.name} for {architecture}: {done.stderr}")
    pattern = (r"Function properties for (\S+)\s+(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads"
               r"\s+ptxas info\s*: Used (\d+) registers")
    return [(name, int(frame), int(stores) + int(loads), int(registers))
            for name, frame, stores, loads, registers in re.findall(pattern, done.stderr)]


def main():
    ptxas, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    allowed = dict(word.split("=") for word in sys.argv[3:])
    jobs = [(path, architecture) for path in sorted(folder.glob("*.ptx")) for architecture in ("sm_80", "sm_90")]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda job: assemble(ptxas, *job), jobs))
    kernels = most = failures = 0
    for (path, architecture), found in zip(jobs, results):
        for name, frame, spilled, registers in found:
            kernels += 1
            most = max(most, registers)
            room = max((int(size) for word, size in allowed.items() if word in name), default=0)
            if frame > room or spilled or registers > MOST_REGISTERS:
                failures += 1
                print(f"{path.name}: {name} for {architecture}: {frame} bytes of stack, {spilled} spilled, {registers} registers")
    print(f"{kernels} kernels, {most} registers at most, {failures} failures")
    sys.exit(1 if failures or kernels == 0 else 0)


if __name__ == "__main__":
    main()
