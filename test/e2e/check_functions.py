"""Compiles a model of every elementwise function, and one whose truth values go from kernel to kernel, and holds them against NumPy:

    check_functions.py STEM
"""

import math
import pathlib
import subprocess
import sys

import numpy

import safetensors_file

FUNCTIONS = {
    "exp": numpy.exp, "log": numpy.log, "sqrt": numpy.sqrt, "rsqrt": lambda x: 1 / numpy.sqrt(x), "sin": numpy.sin, "cos": numpy.cos,
    "tanh": numpy.tanh, "abs": numpy.abs, "floor": numpy.floor, "sigmoid": lambda x: 1 / (1 + numpy.exp(-x)),
    "silu": lambda x: x / (1 + numpy.exp(-x)), "relu": lambda x: numpy.where(x < 0, 0, x),
    "gelu": lambda x: x / 2 * (1 + numpy.vectorize(math.erf)(x / numpy.sqrt(2))),
}
NUMBERS = [math.nan, math.inf, -math.inf, 0, 1e-30, 88.5, 88.73, 88.9, 89, 90, 1e30, 3e38, -87, -88, -104, -200, -1e30, -3e38, 1, -1, 0.5,
           20, -20, 1e5, 7, 2, 3, -3, -7, 10, -10, 5.9]


def main():
    stem = sys.argv[1]
    entries = [f"  entry {name}_(x: f32[s, n]) -> f32[s, n] {{\n    y = {name}(x + zero)\n    return y\n  }}\n" for name in FUNCTIONS]
    entries.append("""  entry masked(x: f32[s, n]) -> f32[s, n] {
    is_high = amax(x as [s, 4, n / 4]) > 1.0
    y = select(is_high, x as [s, 4, n / 4], zero) as [s, n]
    return y
  }
""")
    failures = 0
    for count in (len(NUMBERS), 4):
        text = f"n = {count}\n\nmodule Root {{\n  zero : [1]\n{''.join(entries)}}}\n"
        pathlib.Path(f"{stem}.qn").write_text(text)
        safetensors_file.save(f"{stem}.safetensors", {"zero": numpy.zeros(1, numpy.float32)})
        subprocess.run(["quern", "compile", f"{stem}.qn", "--weights", f"{stem}.safetensors", "-o", f"{stem}.exe"], check=True)
        x = numpy.array(NUMBERS, numpy.float32).reshape(-1, count)
        for name in [*FUNCTIONS, "masked"]:
            given = numpy.nan_to_num(x, nan=0.5, posinf=2, neginf=-2) if name == "masked" else x
            numpy.save(f"{stem}.x.npy", given)
            entry = name if name == "masked" else name + "_"
            subprocess.run([f"{stem}.exe", "--run", entry, "--in", f"x={stem}.x.npy", "--out", f"y={stem}.y.npy"], check=True)
            found = numpy.load(f"{stem}.y.npy")
            if name == "masked":
                parts = given.reshape(len(x), 4, -1)
                expected = numpy.where(parts.max(-1, keepdims=True) > 1, parts, 0).reshape(x.shape)
            else:
                with numpy.errstate(all="ignore"):
                    expected = FUNCTIONS[name](x.astype(numpy.float64)).astype(numpy.float32)
            near = numpy.isclose(found, expected, rtol=1e-4, atol=1e-5, equal_nan=True)
            if not near.all():
                failures += 1
                print(f"{name} of {x[~near]}: found {found[~near]}, expected {expected[~near]}")
    sys.exit(failures > 0)


main()
