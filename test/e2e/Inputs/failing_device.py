"""Runs a model on a device that fails at its n-th allocation or launch: each run ends with one line and the status 1, or, when
nothing failed any more, with tokens.

    failing_device.py BINARY
"""

import os
import subprocess
import sys


def run(binary, variable, number):
    command = [binary, "--device", "cuda", "--prompt-tokens", "1,2,3", "-n", "2", "--greedy", "--ignore-eos", "--print-tokens"]
    environment = {**os.environ, f"QUERN_FAKE_CUDA_FAIL_{variable}": str(number)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)


def main():
    binary = sys.argv[1]
    for variable, step in [("ALLOCATION", 1), ("LAUNCH", 7)]:
        failed = 0
        for number in range(1, 4000, step):
            done = run(binary, variable, number)
            if done.returncode == 0:
                break
            lines = [line for line in done.stderr.splitlines() if not line.startswith("quern-ptx: ")]
            if done.returncode != 1 or len(lines) != 1 or "CUDA device `PTX interpreter`" not in lines[0] or done.stdout:
                sys.exit(f"{variable} {number}: status {done.returncode}\n{done.stdout}{done.stderr}")
            failed += 1
        else:
            sys.exit(f"{variable}: fails for ever")
        print(f"{variable}: {failed} failures were told")
        if failed < 5:
            sys.exit("too few to say anything")


if __name__ == "__main__":
    main()
