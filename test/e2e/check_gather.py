"""Compiles a model of gathers, holds them against NumPy, and gives it indices that are none:

    check_gather.py STEM
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import numpy

import safetensors_file

TEXT = """/// Gathers of rows, columns, and what each row looks up in itself.
module Root {
  full : [40, 21]
  half : [40, 21]
  deep : [5, 6, 4]

  entry pick(x: f32[s, 4, 7], i: i32[s, 3], p: i32[s, 5], j: i32[6], k: i32[s], r: i32[m, 2])
    -> (f32[s, 4, 3], f32[s, 3, 21], f32[40, 6], f32[40, 6], f32[s, 7], f32[m, 2, 4, 7], f32[s, 3], f32[5, 2, 4], f32[s, 21])
    where s <= 9, m <= 40 {
    columns = gather(x, i, axis: -1, batch: 1)
    // What is looked up is an index in turn.
    through = gather(full, gather(p, i, axis: 1, batch: 1))
    wide = gather(full, j, axis: 1) + 1.0
    narrow = gather(half, j, axis: 1)
    places = gather(x, k, batch: 1)
    rows = gather(x, r)
    v, chosen = top_k(x[:, 0, :], 3)
    best = gather(x[:, 1, :], chosen, batch: 1)
    known = gather(deep, cast(iota(2) * 5.0, i32), axis: 1)
    // The nearest one, where it is computed and is none.
    nearest = gather(full, cast(x[:, 0, 0] * 100.0, i32))
    return columns, through, wide, narrow, places, rows, best, known, nearest
  }
}
"""
RESULTS = ["columns", "through", "wide", "narrow", "places", "rows", "best", "known", "nearest"]
# Of an input an index that is none, and what it would have to be below.
REFUSED = [("i", 5, 4), ("i", -1, 4), ("p", 40, 39), ("j", 21, 20), ("k", 4, 3), ("r", 3, 2)]


def expected(weights, x, i, p, j, k, r):
    each = numpy.arange(len(x))
    full, half, deep = (weights[name].astype(numpy.float32) for name in ("full", "half", "deep"))
    order = numpy.argsort(-x[:, 0, :], axis=1, kind="stable")[:, :3]
    return [numpy.take_along_axis(x, i[:, None, :], 2), full[numpy.take_along_axis(p, i, 1)], full[:, j] + 1, half[:, j], x[each, k], x[r],
            numpy.take_along_axis(x[:, 1, :], order, 1), deep[:, [0, 5]],
            full[numpy.clip((x[:, 0, 0] * numpy.float32(100)).astype(numpy.int32), 0, 39)]]


def run(binary, folder, inputs, *options):
    """The status and the errors of a run, and its results."""
    for name, value in inputs.items():
        numpy.save(folder / f"{name}.npy", value)
    places = [f"{name}={folder / name}.out.npy" for name in RESULTS]
    done = subprocess.run([binary, "--run", "pick", "--in", *[f"{name}={folder / name}.npy" for name in inputs], "--out", *places, *options],
                          stderr=subprocess.PIPE, text=True, check=False)
    return done, [numpy.load(folder / f"{name}.out.npy") for name in RESULTS] if done.returncode == 0 else []


def main():
    stem = sys.argv[1]
    random = numpy.random.default_rng(7)
    weights = {name: random.normal(size=shape).astype(element)
               for name, shape, element in [("full", (40, 21), numpy.float32), ("half", (40, 21), numpy.float16), ("deep", (5, 6, 4), numpy.float32)]}
    pathlib.Path(f"{stem}.qn").write_text(TEXT)
    safetensors_file.save(f"{stem}.safetensors", weights)
    subprocess.run(["quern", "compile", f"{stem}.qn", "--weights", f"{stem}.safetensors", "-o", f"{stem}.exe"], check=True)
    info = json.loads(subprocess.run([f"{stem}.exe", "--info"], stdout=subprocess.PIPE, check=True).stdout)
    below = {operand["name"]: sorted(operand.get("below", []), key=str) for operand in info["entries"][0]["inputs"]}
    failures = []
    if below != {"x": [], "i": [5, 7], "p": [40], "j": [21], "k": [4], "r": ["s"]}:
        failures.append(f"found the limits {below}")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for rows, many in [(1, 1), (3, 2), (9, 40)]:
            draw = lambda limit, *shape: random.integers(0, limit, shape).astype(numpy.int32)
            inputs = {"x": random.normal(size=(rows, 4, 7)).astype(numpy.float32), "i": draw(5, rows, 3), "p": draw(40, rows, 5),
                      "j": draw(21, 6), "k": draw(4, rows), "r": draw(rows, many, 2)}
            for threads in ("1", "3"):
                done, results = run(f"{stem}.exe", folder, inputs, "--threads", threads)
                if done.returncode != 0:
                    failures.append(done.stderr)
                for result, found, value in zip(RESULTS, results, expected(weights, **inputs)):
                    if found.shape != value.shape or not numpy.array_equal(found, value):
                        failures.append(f"{rows} rows: `{result}` differs")
            for operand, index, last in REFUSED if rows == 3 else []:
                wrong = {**inputs, operand: inputs[operand].copy()}
                wrong[operand].flat[-1] = index
                message = f"error: input `{operand}` has the index {index} at {wrong[operand].size - 1}, expected 0 to {last}"
                done, _ = run(f"{stem}.exe", folder, wrong)
                if done.returncode != 1 or message not in done.stderr:
                    failures.append(f"{done.returncode}, {done.stderr.strip()}: expected {message}")
    for failure in failures:
        print(failure)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
