"""Usage: interrupt_tune.py MODEL WEIGHTS

Interrupts `quern tune` at several times: it ends soon, with status 130, and leaves a whole file, which `quern tune show` reads."""

import os
import signal
import subprocess
import sys
import time

model, weights = sys.argv[1:]
for delay in [0.3, 1.5, 5]:
    output = f"interrupted-{delay}.json"
    process = subprocess.Popen(["quern", "tune", model, "--weights", weights, "--time", "10m", "-o", output],
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    time.sleep(delay)
    process.send_signal(signal.SIGINT)
    before = time.monotonic()
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, (delay, process.returncode, errors)
    assert time.monotonic() - before < 20, delay
    assert "error" not in errors, errors
    subprocess.run(["quern", "tune", "show", output], check=True, stdout=subprocess.DEVNULL)
    os.remove(output)
