"""Variables of a session against NumPy: check_variables.py weights FILE, check_variables.py check LIBRARY.so FILE"""

import sys

import numpy

import safetensors_file
import shared_library


def half(x):
    return x.astype(numpy.float16).astype(numpy.float32)


def round_bf16(x):
    bits = x.astype(numpy.float32).view(numpy.uint32)
    return ((bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000).view(numpy.float32)


def expect(what, found, right, bound=0.0):
    error = numpy.abs(found.astype(numpy.float64) - right).max()
    print(f"{what}: {error:.3g}")
    if not error <= bound:
        sys.exit(f"{what}: found {found}, expected {right}")


def check(path, weights):
    tensors = safetensors_file.load(weights)
    random = numpy.random.default_rng(3)
    library = shared_library.Library(path, 2)
    states = {state["name"]: state for state in library.describe()["states"]}
    if {name: state["kind"] for name, state in states.items()} != {
            "total": "variable", "copy": "variable", "rounds": "variable", "kept": "variable", "memory": "cache"}:
        sys.exit(f"the states are {states}")
    if library.get_rows() != 40:
        sys.exit(f"the context has {library.get_rows()} rows, expected those of the cache")
    for session in range(2):
        total, copy, kept = tensors["start"], round_bf16(tensors["table"]), numpy.zeros(4, numpy.float32)
        for step, rows in enumerate((1, 7, 3)):
            x, rounds = random.standard_normal((rows, 4)).astype(numpy.float32), numpy.array([session, step], numpy.int32)
            found = library.run(0, [x, rounds], [numpy.empty(4, numpy.float32), numpy.empty((3, 40), numpy.float32),
                                                 numpy.empty(4, numpy.float32), numpy.empty(2, numpy.int32)])
            total = total + x.sum(0)
            expect(f"step {step}, total", found[0], total, 1e-5)
            expect(f"step {step}, copy", found[1], copy)
            expect(f"step {step}, kept", found[2], kept)
            expect(f"step {step}, rounds", found[3], rounds)
            copy, kept = round_bf16(copy + 1), half(found[0] * numpy.float32(0.5))
        found = library.run(1, [numpy.ones(1, numpy.float32)], [numpy.empty(4, numpy.float32), numpy.empty(2, numpy.int32)])
        expect("read, total", found[0], total + 1, 1e-5)
        expect("read, rounds", found[1], numpy.array([session, 2]))
        library.reset()
    found = library.run(1, [numpy.zeros(1, numpy.float32)], [numpy.empty(4, numpy.float32), numpy.empty(2, numpy.int32)])
    expect("reset, total", found[0], tensors["start"])
    expect("reset, rounds", found[1], numpy.zeros(2))
    library.close()


if sys.argv[1] == "weights":
    random = numpy.random.default_rng(5)
    safetensors_file.save(sys.argv[2], {"start": random.standard_normal(4).astype(numpy.float32),
                                        "table": random.standard_normal((3, 40)).astype(numpy.float32)})
else:
    check(sys.argv[2], sys.argv[3])
