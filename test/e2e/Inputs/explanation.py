"""What `quern explain --measure --json` says of the two-layer perceptron of docs/examples: `explanation.py JSON`."""

import json
import sys

explained = json.load(open(sys.argv[1]))
assert explained["threads"] == 2 and explained["target"] == "x86-64-v3", explained
assert explained["limits"]["memory_gb_s"] > 0 and all(explained["limits"]["gop_s"][kind] > 0 for kind in ("f32", "i8", "bf16"))
one, many = explained["programs"]
assert (one["program"], one["sizes"], many["program"], many["sizes"]) == ("forward.s1", {"s": 1}, "forward", {"s": 512})

for program in (one, many):
    up, down = program["steps"]
    assert up["launches"] == [0] and down["launches"] == [1], program
    assert [op["op"] for op in up["ops"]] == ["matmul", "rms_norm", "map", "map"], up
    assert up["ops"][0]["instance"] == "up" and up["ops"][0]["places"] == ["std/transformer.qn:11:9", "mlp.qn:10:26"], up
    assert all(verdict["fused"] and verdict["reason"] for verdict in up["verdicts"]), up
    assert {verdict["op"] for verdict in up["verdicts"]} == {"add", "silu", "rms_norm"}, up
    assert up["schedule"]["rows"]["value"] in up["schedule"]["rows"]["legal"], up
    assert up["arithmetic"] == "f32" and up["bound_by"] in ("memory", "arithmetic"), up
    assert up["predicted_us"] > 0 and up["measured_us"] > 0, up
    total = sum(step["measured_us"] for step in program["steps"])
    assert abs(program["measured_us"] - total) < 1e-6 * total, program
    line = program["lines"][0]
    assert (line["file"], line["line"], line["steps"]) == ("mlp.qn", 10, [0, 1]), line
    assert line["text"] == "return x + down(silu(up(norm(x))))" and abs(line["measured_us"] - total) < 1e-6 * total, line

# Input, norm, packed weight, bias, result; products and sums, then the six scalar ops of bias and SiLU.
up = many["steps"][0]
assert up["bytes"] == 4 * (512 * 16 + 16 + 32 * 16 + 32 + 512 * 32), up
assert up["operations"] == 512 * 32 * (2 * 16 + 6), up
