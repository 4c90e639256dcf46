"""Products of many rows of bf16, as tensor cores compute them: rows and columns that fill no tile, depths that fill no step, what is
fused around them. Tensor cores add in an order of their own: sums of up to 256 products are as far from the reference's as those of
another order in f32. Each row has the bits that the kernel gives it alone."""

from kernels import attributes, kernel, tensor

ROWS = [1, 7, 128, 129, 300]
BOUND = 1e-5
# A value on the edge between two of bf16 may fall to either side: the norm is not summed in the reference's order.
ROUNDED_NORM_BOUND = 4e-3
ROUNDED_RESULT_BOUND = 8e-3


def weight(n, k):
    return "packed " + tensor(n, k, element="bf16")


def left(rows, k):
    """The op that narrows the left side, and its type."""
    narrow = tensor(rows, k, element="bf16")
    return f"quern.cast %arg0 : {tensor(rows, k)} to {narrow}", narrow


def product(name, rows, n, k, sizes=None, after=(), arguments=(), bound=BOUND, result=None):
    """x · wᵀ of f32, and the ops `after` it."""
    out = tensor(rows, n)
    op, narrow = left(rows, k)
    body = [op, f"quern.matmul %0, %arg1 : {narrow}, {tensor(n, k, element='bf16')}", *after]
    single = name if sizes and max(sizes) < 200 else None
    kernel(name, [tensor(rows, k), weight(n, k), *arguments], result or out, attributes("contract", bound, sizes, single=single), body)


def swiglu(name, n, k):
    """silu(norm(x) · gateᵀ) ⊙ (norm(x) · upᵀ)"""
    x, out, w, narrow = tensor(None, k), tensor(None, n), tensor(n, k, element="bf16"), tensor(None, k, element="bf16")
    body = [f"quern.rms_norm %arg0, %arg1 eps 1.0e-05 : {x}, {tensor(k)}", f"quern.cast %0 : {x} to {narrow}",
            f"quern.matmul %1, %arg2 : {narrow}, {w}", f"quern.matmul %1, %arg3 : {narrow}, {w}", f"quern.silu %2 : {out}",
            f"quern.mul %4, %3 : {out}, {out}"]
    kernel(name, [x, tensor(k), weight(n, k), weight(n, k)], out, attributes("contract", ROUNDED_NORM_BOUND, [3, 128, 130], single=name),
           body)


for n, k in [(1, 1), (16, 32), (128, 64), (144, 100), (33, 256)]:
    product(f"product_{n}_{k}", None, n, k, ROWS if n != 16 else [5, 129])
product("product_1000_66", None, 1000, 66, [150])
product("static", 20, 48, 96)
for n in (64, 100, 33, 1000):
    swiglu(f"swiglu_{n}", n, 64)

for n in (128, 40, 37):
    out, column = tensor(None, n), tensor(n)
    after = [f"quern.add %1, %arg2 : {out}, {out}", f"quern.mul %2, %arg3 : {out}, {column}"]
    product(f"residual_{n}", None, n, 64, [9, 129], after, [out, column])
    narrow = tensor(None, n, element="bf16")
    product(f"narrowed_{n}", None, n, 64, [9, 129], [f"quern.cast %1 : {out} to {narrow}"], bound=ROUNDED_RESULT_BOUND, result=narrow)
    for function in ("tanh", "relu", "gelu", "sigmoid", "abs"):
        product(f"{function}_{n}", None, n, 64, [9], [f"quern.{function} %1 : {out}"])

# A left side that lies in memory, as tensor cores read it and not.
for k in (64, 40):
    narrow = tensor(None, k, element="bf16")
    kernel(f"argument_{k}", [narrow, weight(80, k)], tensor(None, 80), attributes("contract", BOUND, [6, 130], single=f"argument_{k}"),
           [f"quern.matmul %arg0, %arg1 : {narrow}, {tensor(80, k, element='bf16')}"])

# Heads of a row are its columns.
out = tensor(None, 48)
kernel("heads", [tensor(None, 32), weight(48, 32)], tensor(None, 3, 16), attributes("contract", BOUND, [6, 130], single="heads"),
       [left(None, 32)[0], f"quern.matmul %0, %arg1 : {left(None, 32)[1]}, {tensor(48, 32, element='bf16')}",
        f"quern.reshape %1 : {out} to {tensor(None, 3, 16)}"])

# Weights side by side, each with its own left side, computed and as an argument.
for k in (96, 40):
    narrow, out = tensor(None, 3, k, element="bf16"), tensor(None, 3, 128)
    rows = [attributes("contract", BOUND, [3, 129], single=f"batch_{kind}_{k}") for kind in ("cast", "argument")]
    last = f"arg1 batch 3 : {narrow}, {tensor(384, k, element='bf16')}"
    kernel(f"batch_cast_{k}", [tensor(None, 3, k), weight(384, k), out], out, rows[0],
           [f"quern.cast %arg0 : {tensor(None, 3, k)} to {narrow}", f"quern.matmul %0, %{last}", f"quern.add %1, %arg2 : {out}, {out}"])
    kernel(f"batch_argument_{k}", [narrow, weight(384, k)], out, rows[1], [f"quern.matmul %arg0, %{last}"])
