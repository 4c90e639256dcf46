"""Matrix products: every weight type, one row and many, whole and broken panels, with what fuses around them. With the argument
`tensor-cores` for targets that have such, which add products of pairs of bf16 in an order of their own, for many rows."""

import sys

from kernels import attributes, block, kernel, tensor

SIZES = [0, 1, 2, 3, 5, 6, 7, 8, 9, 13, 31]
FLOATS = ["f32", "f16", "bf16"]
BLOCKS = ["q8_0", "q4_0", "q4_1", "q5_0", "q5_1"]
K_BLOCKS = ["q4_k", "q5_k", "q6_k"]
# f32 sums of up to 512 products, in another order than the reference's.
FLOAT_BOUND = 1e-5
TENSOR_CORES = "tensor-cores" in sys.argv[1:]
# Pairs of bf16 are multiplied and added as the reference does it, to the same bits.
PAIR_BOUND = 0
# Integer products are exact; what is left is the f32 sum over blocks.
QUANT_BOUND = 1e-5
# A value on the edge between two narrow ones may fall to either side: the norm is not summed in the reference's order.
QUANTISED_NORM_BOUND = 2e-2
ROUNDED_NORM_BOUND = 4e-3


def narrow(weight, rows, k, value):
    """The op that makes `value`, of `rows` by `k` f32, as narrow as products with `weight` want it, and its type."""
    x = tensor(rows, k)
    if weight == "bf16":
        return f"quern.cast {value} : {x} to {tensor(rows, k, element='bf16')}", tensor(rows, k, element="bf16")
    return f"quern.quantize {value} : {x}", tensor(rows, k, element=block("q8_1"))


def pairs_single(name, one):
    """The kernel that has the bits of one row of `name`, a product of pairs: `one`, or itself alone where tensor cores compute it."""
    return name if TENSOR_CORES else one


def product(name, rows, n, k, weight, narrows, bound, epilogue=False, single=None, schedule=None, storage="packed"):
    lhs, out, w = tensor(rows, k), tensor(rows, n), tensor(n, k, element=block(weight))
    body, left, kind = [], "%arg0", lhs
    if narrows:
        op, kind = narrow(weight, rows, k, "%arg0")
        body.append(op)
        left = "%0"
    arguments = [lhs, f"{storage} {w}"]
    body.append(f"quern.matmul {left}, %arg1 : {kind}, {w}")
    if epilogue:
        arguments += [out, tensor(n)]
        body.append(f"quern.add %{len(body) - 1}, %arg2 : {out}, {out}")
        body.append(f"quern.mul %{len(body) - 1}, %arg3 : {out}, {tensor(n)}")
    sizes = SIZES if rows is None else None
    kernel(name, arguments, out, attributes("contract", bound, sizes, single=single, schedule=schedule), body)


def swiglu(name, rows, n, k, weight, bound, single=None, storages=("packed", "packed")):
    """silu(norm(x) · gateᵀ) ⊙ (norm(x) · upᵀ)"""
    x, out, w = tensor(rows, k), tensor(rows, n), tensor(n, k, element=block(weight))
    body, left = [f"quern.rms_norm %arg0, %arg1 eps 1.0e-05 : {x}, {tensor(k)}"], x
    if bound != FLOAT_BOUND:
        op, left = narrow(weight, rows, k, "%0")
        body.append(op)
    last = len(body) - 1
    body += [f"quern.matmul %{last}, %arg2 : {left}, {w}", f"quern.matmul %{last}, %arg3 : {left}, {w}",
             f"quern.silu %{last + 1} : {out}", f"quern.mul %{last + 3}, %{last + 2} : {out}, {out}"]
    sizes = SIZES if rows is None else None
    weights = [f"{storage} {w}" for storage in storages]
    kernel(name, [x, tensor(k)] + weights, out, attributes("contract", bound, sizes, single=single), body)


for weight in FLOATS:
    for n, k in [(1, 1), (16, 7), (48, 33), (100, 130), (80, 512)]:
        name = f"{weight}_{n}_{k}"
        product(name + "_one", 1, n, k, weight, False, FLOAT_BOUND)
        product(name, None, n, k, weight, False, FLOAT_BOUND, single=name + "_one")
    product(f"{weight}_epilogue", None, 64, 96, weight, False, FLOAT_BOUND, epilogue=True)
    product(f"{weight}_static", 5, 64, 96, weight, False, FLOAT_BOUND)
    swiglu(f"{weight}_swiglu_one", 1, 96, 64, weight, FLOAT_BOUND)
    swiglu(f"{weight}_swiglu", None, 96, 64, weight, FLOAT_BOUND, single=f"{weight}_swiglu_one")

for n, k in [(1, 1), (16, 7), (48, 33), (100, 130), (80, 512)]:
    name = f"pairs_{n}_{k}"
    product(name + "_one", 1, n, k, "bf16", True, PAIR_BOUND)
    product(name, None, n, k, "bf16", True, PAIR_BOUND, single=pairs_single(name, name + "_one"))
product("pairs_epilogue", None, 64, 96, "bf16", True, FLOAT_BOUND, epilogue=True)
product("pairs_static", 5, 64, 96, "bf16", True, PAIR_BOUND)
swiglu("pairs_swiglu_one", 1, 96, 64, "bf16", ROUNDED_NORM_BOUND)
swiglu("pairs_swiglu", None, 96, 64, "bf16", ROUNDED_NORM_BOUND, single=pairs_single("pairs_swiglu", "pairs_swiglu_one"))

for n, k in [(1, 1), (16, 7), (48, 33), (100, 130), (80, 512)]:
    for narrows, bound in [(True, PAIR_BOUND), (False, FLOAT_BOUND)]:
        name = f"compressed_{n}_{k}_{'pairs' if narrows else 'floats'}"
        product(name + "_one", 1, n, k, "bf16", narrows, bound, storage="compressed")
        product(name, None, n, k, "bf16", narrows, bound, single=name + "_one", storage="compressed")
for rows in (4, 20):
    product(f"compressed_static_{rows}", rows, 64, 96, "bf16", True, PAIR_BOUND, storage="compressed")
product("compressed_epilogue", None, 64, 96, "bf16", True, FLOAT_BOUND, epilogue=True, storage="compressed")
BOTH = ("compressed", "compressed")
for name, storages in [("both", BOTH), ("one", ("packed", "compressed"))]:
    swiglu(f"compressed_swiglu_{name}_one", 1, 96, 64, "bf16", ROUNDED_NORM_BOUND, storages=storages)
    swiglu(f"compressed_swiglu_{name}", None, 96, 64, "bf16", ROUNDED_NORM_BOUND, f"compressed_swiglu_{name}_one", storages)
swiglu("compressed_swiglu_floats", None, 96, 64, "bf16", FLOAT_BOUND, storages=BOTH)

for weight in BLOCKS + K_BLOCKS:
    k = 512 if weight in K_BLOCKS else 96
    for n in (100, 112):
        name = f"{weight}_{n}"
        product(name + "_one", 1, n, k, weight, True, QUANT_BOUND)
        product(name, None, n, k, weight, True, QUANT_BOUND, single=name + "_one")
        if n == 100:
            continue
        product(name + "_exact_one", 1, n, k, weight, False, FLOAT_BOUND)
        product(name + "_exact", None, n, k, weight, False, FLOAT_BOUND, single=name + "_exact_one")
    product(f"{weight}_epilogue", None, 64, k, weight, True, QUANT_BOUND, epilogue=True)
    product(f"{weight}_ragged_epilogue", None, 52, k, weight, True, QUANT_BOUND, epilogue=True)
    swiglu(f"{weight}_swiglu_one", 1, 96, k, weight, QUANTISED_NORM_BOUND)
    swiglu(f"{weight}_swiglu", None, 96, k, weight, QUANTISED_NORM_BOUND, single=f"{weight}_swiglu_one")

for rows, vectors in [(1, 1), (2, 4), (5, 2), (8, 3), (14, 1)]:
    schedule = {"rows": rows, "vectors": vectors, "panels": 4}
    product(f"f16_tile_{rows}_{vectors}", None, 112, 64, "f16", False, FLOAT_BOUND, single="f16_tile_one", schedule=schedule)
    name = f"pairs_tile_{rows}_{vectors}"
    product(name, None, 112, 64, "bf16", True, PAIR_BOUND, single=pairs_single(name, "pairs_tile_one"), schedule=schedule)
    product(f"compressed_tile_{rows}_{vectors}", None, 112, 64, "bf16", True, PAIR_BOUND, single="pairs_tile_one",
            schedule=schedule, storage="compressed")
    product(f"q8_0_tile_{rows}_{vectors}", None, 112, 64, "q8_0", True, QUANT_BOUND, single="q8_0_tile_one", schedule=schedule)
product("f16_tile_one", 1, 112, 64, "f16", False, FLOAT_BOUND)
product("pairs_tile_one", 1, 112, 64, "bf16", True, PAIR_BOUND)
product("q8_0_tile_one", 1, 112, 64, "q8_0", True, QUANT_BOUND)
