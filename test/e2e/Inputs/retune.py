"""Usage: retune.py MODEL WEIGHTS OTHER

Writes OTHER, a database that has other plans for the model's products than the default ones, and checks that `quern compile --tuned` and `quern
explain --tuned` take them, that `--no-tuned` does not mind, and that the model computes the same bits with them."""

import json
import subprocess
import sys

import numpy

model, weights, other = sys.argv[1:]


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def compile_model(output, *options):
    run("quern", "compile", model, "--weights", weights, *options, "-o", output)


def tile(*options):
    return run("quern", "compile", model, "--weights", weights, "--emit", "tiled", *options)


def explain(*options):
    programs = json.loads(run("quern", "explain", model, "--weights", weights, "--json", *options))
    return programs["target"], [step for program in programs["programs"] for step in program["steps"]]


target, steps = explain("--no-tuned")
rows = []
for key, step in {step["digest"]: step for step in steps if step["form"] == "contract"}.items():
    base = {name: knob["value"] for name, knob in step["schedule"].items()}
    plan = dict(base, panels=2 if base["panels"] != 2 else 1, rows=1)
    rows.append({"key": key, "form": "contract", "version": 1, "target": target, "threads": 2, "kernel": step["kernel"], "plan": plan,
                 "base": base, "changesRounding": False, "samples": [[2000, 1000 + i] for i in range(12)]})
assert rows, "the model has no product"
versions = {"quern": "0.1.0", "llvm": "22.1.0", "halide": "21.0.0"}
with open(other, "w") as file:
    json.dump({"format": "quern-schedules-2", "versions": versions, "machine": [], "rows": sorted(rows, key=lambda row: row["key"])}, file)

plans = set()
for row in rows:
    plans.add(f"panels = {row['plan']['panels']} : i64, prefetch = {row['plan']['prefetch']} : i64, rows = 1 : i64")
tuned, plain = tile("--tuned", other), tile("--no-tuned")
assert any(plan in tuned for plan in plans), tuned
assert tuned != plain
assert tile("--tuned", other) == tuned
# Of two files the first that has a kernel counts.
for row in rows:
    row["plan"] = row["base"]
with open("base.json", "w") as file:
    json.dump({"format": "quern-schedules-2", "versions": versions, "machine": [], "rows": sorted(rows, key=lambda row: row["key"])}, file)
assert tile("--tuned", other, "--tuned", "base.json") == tuned
assert tile("--tuned", "base.json", "--tuned", other) == plain
text = run("quern", "explain", model, "--weights", weights, "--tuned", other)
assert f"measured ({other}): 1.989 times as fast as panels " in text, text
assert ", in 12 pairs of launches, 1.01 us for 2.00 us" in text, text
_, steps = explain("--tuned", other)
assert any(step["tuned"] and step["tuned"]["file"] == other and step["tuned"]["pairs"] == 12 for step in steps)
# What is asked for at another distance is expected to come a hundredth later.
for row in rows:
    row["plan"] = dict(row["base"], prefetch=512 if row["base"]["prefetch"] != 512 else 1024)
with open("distance.json", "w") as file:
    json.dump({"format": "quern-schedules-2", "versions": versions, "machine": [], "rows": sorted(rows, key=lambda row: row["key"])}, file)
text = run("quern", "explain", model, "--weights", weights, "--no-tuned", "--tuned", "distance.json")
assert "1.01 us for 2.00 us; 0.990 was predicted" in text, text
_, steps = explain("--no-tuned", "--tuned", "distance.json")
tuned = [step["tuned"] for step in steps if step["tuned"]]
assert all(one["default_ns"] == 2000 and one["plan_ns"] == 1005.5 for one in tuned), tuned
assert any(one["predicted_gain"] and abs(one["predicted_gain"] - 1 / 1.01) < 1e-9 for one in tuned), tuned

numpy.save("x.npy", numpy.random.default_rng(1).standard_normal((5, 16), dtype=numpy.float32))
results = []
for name, options in [("plain", ["--no-tuned"]), ("tuned", ["--tuned", other])]:
    compile_model(f"./{name}.out", *options)
    entry = json.loads(run(f"./{name}.out", "--info"))["entries"][0]
    source, result = entry["inputs"][0]["name"], entry["results"][0]["name"]
    run(f"./{name}.out", "--run", entry["name"], "--in", f"{source}=x.npy", "--out", f"{result}={name}.npy")
    results.append(numpy.load(f"{name}.npy").tobytes())
assert results[0] == results[1]
