"""Rotary tables: `rope.py model TYPE` writes a model that returns one, `rope.py compare TYPE` reads it evaluated and compares.
A second number of positions is that of a shorter context."""

import math
import re
import sys

DIM, POSITIONS = 32, 64
CONTEXT = int(sys.argv[3]) if len(sys.argv) > 3 else POSITIONS
TYPES = {
    "default": dict(rope_type="default", rope_theta=10000.0),
    "linear": dict(rope_type="linear", rope_theta=50000.0, factor=4.0),
    "llama3": dict(rope_type="llama3", rope_theta=500000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
                   original_max_position_embeddings=64),
    "yarn": dict(rope_type="yarn", rope_theta=10000.0, factor=4.0, original_max_position_embeddings=512),
    "yarn-mscale": dict(rope_type="yarn", rope_theta=10000.0, factor=40.0, original_max_position_embeddings=4096,
                        mscale=1.0, mscale_all_dim=0.5, truncate=False, beta_fast=16.0),
    "dynamic": dict(rope_type="dynamic", rope_theta=10000.0, factor=4.0, original_max_position_embeddings=24),
    "longrope": dict(rope_type="longrope", rope_theta=10000.0, original_max_position_embeddings=24,
                     short_factor=[1.0 + j / 8 for j in range(DIM // 2)],
                     long_factor=[2.0 + j for j in range(DIM // 2)]),
    "factors": dict(rope_type="factors", rope_theta=10000.0),
}


def write(value):
    if isinstance(value, bool):
        return "bool = " + str(value).lower()
    if isinstance(value, list):
        return f"[float] = {value}"
    if isinstance(value, str):
        return f'"{value}" = "{value}"'
    return ("int = " if isinstance(value, int) else "float = ") + str(value)


def model(config):
    print('import "std/rope.qn"\n\nconfig {')
    for key, value in config.items():
        print(f"  rope_parameters.{key} : {write(value)}")
    print("}\n\nmodule Root {\n  entry forward(x: f32[s]) -> f32[*, *, 2] {")
    context = f"{CONTEXT}, trained: {POSITIONS}" if CONTEXT != POSITIONS else str(POSITIONS)
    print(f"    return rope_table_of({DIM}, {context})\n  }}\n}}")


def frequencies(config, position):
    """Inverse frequencies at a position and the scale of cos and sin."""
    base, kind = config["rope_theta"], config["rope_type"]
    inverse = [base ** (-2 * j / DIM) for j in range(DIM // 2)]
    factor, length = config.get("factor"), config.get("original_max_position_embeddings")
    if kind == "linear":
        return [f / factor for f in inverse], 1.0
    if kind == "dynamic":
        base *= (factor * max(position + 1, length) / length - (factor - 1)) ** (DIM / (DIM - 2))
        return [base ** (-2 * j / DIM) for j in range(DIM // 2)], 1.0
    if kind == "longrope":
        factors = config["long_factor" if position >= length else "short_factor"]
        return [f / g for f, g in zip(inverse, factors)], math.sqrt(1 + math.log(POSITIONS / length) / math.log(length))
    if kind == "llama3":
        low, high = config["low_freq_factor"], config["high_freq_factor"]

        def stretch(f):
            wave = 2 * math.pi / f
            if wave > length / low:
                return f / factor
            if wave < length / high:
                return f
            smooth = (length / wave - low) / (high - low)
            return (1 - smooth) * f / factor + smooth * f
        return [stretch(f) for f in inverse], 1.0
    if kind == "yarn":
        def pair(turns):
            return DIM * math.log(length / (turns * 2 * math.pi)) / (2 * math.log(base))
        low, high = pair(config.get("beta_fast", 32.0)), pair(config.get("beta_slow", 1.0))
        if config.get("truncate", True):
            low, high = math.floor(low), math.ceil(high)
        low, high = max(low, 0), min(high, DIM - 1)
        ramp = [min(max((j - low) / ((high - low) or 0.001), 0), 1) for j in range(DIM // 2)]

        def scale(mscale):
            return 0.1 * mscale * math.log(factor) + 1
        attention = scale(1.0)
        if "mscale" in config:
            attention = scale(config["mscale"]) / scale(config["mscale_all_dim"])
        return [f / factor * r + f * (1 - r) for f, r in zip(inverse, ramp)], attention
    return inverse, 1.0


def compare(config):
    expected = []
    for position in range(CONTEXT):
        inverse, scale = frequencies(config, position)
        for f in inverse:
            expected += [scale * math.cos(position * f), scale * math.sin(position * f)]
    header, *lines = sys.stdin.read().splitlines()
    assert re.match(rf"result: tensor<{CONTEXT}x{DIM // 2}x2xf32>", header), header
    found = [float(word) for line in lines for word in line.split()]
    assert len(found) == len(expected), (len(found), len(expected))
    worst = max(abs(a - b) for a, b in zip(found, expected))
    assert worst < 1e-4, f"the tables differ by {worst}"


{"model": model, "compare": compare}[sys.argv[1]](TYPES[sys.argv[2]])
