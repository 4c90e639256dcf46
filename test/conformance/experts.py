"""Products by weights that rows choose: weight types, one row and many, few and many weights, with what fuses around them."""

from kernels import attributes, block, kernel, tensor

SIZES = [0, 1, 2, 3, 7, 8, 13, 31, 70]
FLOAT_BOUND = 1e-5
PAIR_BOUND = 0
QUANT_BOUND = 1e-5


def narrow(weight, dims, value):
    """The op that makes `value`, f32 of `dims`, as narrow as products with `weight` want it, and its type."""
    x = tensor(*dims)
    if weight == "bf16":
        return f"quern.cast {value} : {x} to {tensor(*dims, element='bf16')}", tensor(*dims, element="bf16")
    return f"quern.quantize {value} : {x}", tensor(*dims, element=block("q8_1"))


def groups(rows, slots, count):
    return [tensor(rows, slots, element="i32"), tensor(count + 1, element="i32")]


def product(name, rows, slots, count, n, k, weight, narrows, bound, own=False, single=None, hot=None, epilogue=None,
            schedule=None):
    """`own`: each slot has a row of its own on the left. `epilogue`: `add` or `combine`."""
    x = tensor(rows, slots, k) if own else tensor(rows, k)
    dims = (rows, slots, k) if own else (rows, k)
    out, w = tensor(rows, slots, n), tensor(count * n, k, element=block(weight))
    body, left, kind = [], "%arg0", x
    if narrows:
        op, kind = narrow(weight, dims, "%arg0")
        body.append(op)
        left = "%0"
    order, begins = groups(rows, slots, count)
    arguments = [x, f"packed {w}", order, begins]
    body.append(f"quern.matmul {left}, %arg1 groups(%arg2, %arg3) : {kind}, {w}, {order}, {begins}")
    if epilogue == "add":
        arguments.append(out)
        body.append(f"quern.add %{len(body) - 1}, %arg4 : {out}, {out}")
    if epilogue == "combine":
        weights, sums = tensor(rows, slots), tensor(rows, n)
        arguments += [weights, sums]
        body.append(f"quern.combine %{len(body) - 1}, %arg4 : {out}, {weights}")
        body.append(f"quern.add %{len(body) - 1}, %arg5 : {sums}, {sums}")
        out = sums
    sizes = SIZES if rows is None else None
    attrs = attributes("experts", bound, sizes, single=single, schedule=schedule)
    if hot is not None:
        attrs = attrs[:-1] + f", conform.hot = {hot} : i64}}"
    kernel(name, arguments, out, attrs, body)


def swiglu(name, rows, slots, count, n, k, weight, narrows, bound, single=None):
    x, out, w = tensor(rows, k), tensor(rows, slots, n), tensor(count * n, k, element=block(weight))
    body, left, kind = [], "%arg0", x
    if narrows:
        op, kind = narrow(weight, (rows, k), "%arg0")
        body.append(op)
        left = "%0"
    first = len(body)
    order, begins = groups(rows, slots, count)
    for argument in ["%arg1", "%arg2"]:
        body.append(f"quern.matmul {left}, {argument} groups(%arg3, %arg4) : {kind}, {w}, {order}, {begins}")
    body += [f"quern.silu %{first} : {out}", f"quern.mul %{first + 2}, %{first + 1} : {out}, {out}"]
    sizes = SIZES if rows is None else None
    kernel(name, [x, f"packed {w}", f"packed {w}", order, begins], out, attributes("experts", bound, sizes, single=single),
           body)


for weight, narrows, bound in [("f32", False, FLOAT_BOUND), ("f16", False, FLOAT_BOUND), ("bf16", True, PAIR_BOUND),
                               ("q8_0", True, QUANT_BOUND), ("q4_0", True, QUANT_BOUND), ("q4_1", True, QUANT_BOUND)]:
    for slots, count, n, k in [(1, 1, 16, 32), (2, 8, 48, 64), (4, 4, 80, 96), (3, 60, 16, 512)]:
        name = f"{weight}_{slots}_{count}_{n}"
        product(name + "_one", 1, slots, count, n, k, weight, narrows, bound)
        product(name, None, slots, count, n, k, weight, narrows, bound, single=name + "_one")
    product(f"{weight}_own_one", 1, 2, 8, 32, 64, weight, narrows, bound, own=True)
    product(f"{weight}_own", None, 2, 8, 32, 64, weight, narrows, bound, own=True, single=f"{weight}_own_one")
    product(f"{weight}_hot", None, 2, 8, 32, 64, weight, narrows, bound, hot=5)
    product(f"{weight}_static", 5, 2, 8, 32, 64, weight, narrows, bound)
    product(f"{weight}_add", None, 2, 8, 32, 64, weight, narrows, FLOAT_BOUND, epilogue="add")
    product(f"{weight}_combine_one", 1, 4, 8, 48, 64, weight, narrows, FLOAT_BOUND, own=True, epilogue="combine")
    product(f"{weight}_combine", None, 4, 8, 48, 64, weight, narrows, FLOAT_BOUND, own=True, epilogue="combine",
            single=f"{weight}_combine_one")
    swiglu(f"{weight}_swiglu_one", 1, 2, 8, 96, 64, weight, narrows, FLOAT_BOUND)
    swiglu(f"{weight}_swiglu", None, 2, 8, 96, 64, weight, narrows, FLOAT_BOUND,
           single=f"{weight}_swiglu_one")
product("k_blocks", None, 2, 4, 16, 256, "q6_k", True, QUANT_BOUND)
product("broken_tiles", None, 2, 4, 80, 64, "f32", False, FLOAT_BOUND, schedule={"rows": 4, "vectors": 3, "panels": 4})
product("broken_tasks", None, 2, 4, 96, 64, "q8_0", True, QUANT_BOUND, own=True, epilogue="combine",
        schedule={"rows": 3, "vectors": 2, "panels": 3})
product("odd_depth", None, 2, 4, 16, 33, "f32", False, FLOAT_BOUND)
