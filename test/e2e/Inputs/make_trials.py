"""Writes a database of COUNT rows of made-up kernels, whose plans take the longer the more of one feature they have.

    python make_trials.py FILE COUNT
"""

import json
import math
import sys

path, count = sys.argv[1], int(sys.argv[2])
rows = []
for index in range(count):
    plans = []
    for place in range(8):
        height, tail = ((index * 7 + place * 5) % 17 - 8) / 8, ((index * 3 + place * 11) % 13 - 6) / 6
        plans.append({"plan": {"rows": place + 2}, "time": math.exp(0.2 * height), "error": 0.01, "features": [height, tail, 0.1]})
    rows.append({"key": f"{index:064x}", "form": "conv", "version": 1, "target": "zen4", "threads": 2, "kernel": f"quern_conv_f32_{index + 1}x64",
                 "plan": {"rows": 1}, "base": {"rows": 1}, "changesRounding": False, "samples": [],
                 "trials": {"family": "conv.f32", "features": ["height", "tail", "estimate"], "plans": plans}})
versions = {"quern": "0.1.0", "llvm": "22.1.0", "halide": "21.0.0"}
with open(path, "w") as file:
    json.dump({"format": "quern-schedules-2", "versions": versions, "machine": [], "rows": rows}, file)
