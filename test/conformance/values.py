"""Products of two values: rows and columns of every awkward number, stacks, transposed, with what fuses around them."""

from kernels import attributes, kernel, tensor

SIZES = [0, 1, 2, 3, 4, 5, 8, 13, 31]
BOUND = 1e-5


def product(name, lhs, weight, out, transposed=False, element="f32", symbolic=True, schedule=None, tail=()):
    """`tail`: ops on the product, %N, of type `out`."""
    right = tensor(*weight, element=element)
    body = [f"quern.matmul %arg0, %arg1{' transposed' if transposed else ''} : {tensor(*lhs)}, {right}"]
    for op in tail:
        body.append(f"quern.{op} %{len(body) - 1} : {tensor(*out)}")
    kernel(name, [tensor(*lhs), right], tensor(*out),
           attributes("values", BOUND, SIZES if symbolic else None, schedule=schedule), body)


for n, k in [(1, 1), (15, 7), (16, 64), (33, 5)]:
    product(f"rows_{n}_{k}", [None, k], [n, k], [None, n])
    product(f"turned_{n}_{k}", [None, k], [k, n], [None, n], transposed=True)
    for rows in [1, 3, 9]:
        product(f"static_{rows}_{n}_{k}", [rows, k], [n, k], [rows, n], symbolic=False)
# The symbolic size as rows, as columns, as what is added up, and as all of them.
product("columns", [5, 12], [None, 12], [5, None])
product("depth", [5, None], [20, None], [5, 20])
product("depth_turned", [5, None], [None, 20], [5, 20], transposed=True)
product("square", [None, 12], [None, 12], [None, None])
product("all", [None, None], [None, None], [None, None])
product("vector", [12], [None, 12], [None])
# A stack, one per head; more axes before it.
product("heads", [None, 3, 8], [3, 21, 8], [None, 3, 21])
product("heads_turned", [None, 3, 8], [3, 8, 21], [None, 3, 21], transposed=True)
product("scores", [None, 2, 8], [2, None, 8], [None, 2, None])
product("sums", [None, 2, None], [2, None, 8], [None, 2, 8], transposed=True)
product("images", [3, 5, 2, 8], [2, 17, 8], [3, 5, 2, 17], symbolic=False)
for element in ["f16", "bf16"]:
    product(f"{element}", [None, 24], [40, 24], [None, 40], element=element)
    product(f"{element}_turned", [None, 24], [24, 40], [None, 40], element=element, transposed=True)
product("after", [None, 24], [40, 24], [None, 40], tail=["silu", "exp"])
for rows in [1, 2, 7, 12]:
    product(f"tile_{rows}", [None, 24], [40, 24], [None, 40], schedule={"rows": rows})
kernel("before", [tensor(None, 24), tensor(24), tensor(40, 24), tensor(None, 40)], tensor(None, 40),
       attributes("values", BOUND, SIZES),
       [f"quern.rms_norm %arg0, %arg1 eps 1.0e-05 : {tensor(None, 24)}, {tensor(24)}",
        f"quern.matmul %0, %arg2 : {tensor(None, 24)}, {tensor(40, 24)}",
        f"quern.add %1, %arg3 : {tensor(None, 40)}, {tensor(None, 40)}"])
