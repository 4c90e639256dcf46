"""What the launches of the two-layer perceptron of docs/examples read, write and compute for 3 rows: `work.py TRACE.json`."""

import json
import sys

ROWS = 3
up, down = (event["args"] for event in json.load(open(sys.argv[1]))["traceEvents"])
# Input, norm, packed weight, bias, result; products and sums, then the six scalar ops of bias and SiLU.
assert up["bytes"] == 4 * (ROWS * 16 + 16 + 32 * 16 + 32 + ROWS * 32), up
assert up["operations"] == ROWS * 32 * (2 * 16 + 6), up
# Input, packed weight, residual, result; products and sums, then the residual's sum.
assert down["bytes"] == 4 * (ROWS * 32 + 16 * 32 + ROWS * 16 + ROWS * 16), down
assert down["operations"] == ROWS * 16 * (2 * 32 + 1), down
assert ".qn:" in up["line"] and ".qn:" in down["line"], (up, down)
