"""Elementwise kernels, and those that reduce rows."""

from kernels import attributes, kernel, tensor

SIZES = [0, 1, 2, 3, 17]
# One operation of f32 after another: a few units in the last place.
BOUND = 1e-6
# The back end's exp, log, sin, … differ from libm's.
FUNCTION_BOUND = 5e-6

UNARY = {"neg": BOUND, "abs": BOUND, "floor": BOUND, "exp": FUNCTION_BOUND, "sin": FUNCTION_BOUND, "cos": FUNCTION_BOUND,
         "tanh": FUNCTION_BOUND, "sigmoid": FUNCTION_BOUND, "silu": FUNCTION_BOUND, "relu": BOUND, "gelu": FUNCTION_BOUND}
# On |x| + 1/16: the random values have both signs.
POSITIVE = {"log": FUNCTION_BOUND, "sqrt": BOUND, "rsqrt": BOUND}
BINARY = ["add", "sub", "mul", "max", "min"]

for op, bound in UNARY.items():
    for width in (1, 5, 16, 96):
        kind = tensor(None, width)
        kernel(f"{op}_{width}", [kind], kind, attributes("map", bound, SIZES), [f"quern.{op} %arg0 : {kind}"])

kind = tensor(None, 37)
for op, bound in POSITIVE.items():
    kernel(op, [kind], kind, attributes("map", bound, SIZES),
           [f"quern.abs %arg0 : {kind}", "quern.constant dense<6.25e-02> : tensor<1xf32>",
            f"quern.add %0, %1 : {kind}, tensor<1xf32>", f"quern.{op} %2 : {kind}"])

for op in BINARY:
    for other in (tensor(None, 37), tensor(37), tensor(1), tensor(None, 1)):
        kernel(f"{op}_{other.count('x')}_{len(other)}", [kind, other], kind, attributes("map", BOUND, SIZES),
               [f"quern.{op} %arg0, %arg1 : {kind}, {other}"])

four = tensor(None, 3, 1, 8)
kernel("broadcast", [four, tensor(5, 8)], tensor(None, 3, 5, 8), attributes("map", BOUND, SIZES),
       [f"quern.mul %arg0, %arg1 : {four}, {tensor(5, 8)}"])
kernel("select", [kind, kind], kind, attributes("map", BOUND, SIZES),
       [f"quern.compare <lt>, %arg0, %arg1 : {kind}, {kind}",
        f"quern.select %0, %arg0, %arg1 : {tensor(None, 37, element='i1')}, {kind}, {kind}"])
kernel("move", [tensor(None, 24)], tensor(None, 4, 3), attributes("map", 0, SIZES),
       [f"quern.slice %arg0 axis 1 offset 8 size 12 : {tensor(None, 24)}",
        f"quern.reshape %0 : {tensor(None, 12)} to {tensor(None, 3, 4)}",
        f"quern.transpose %1 [0, 2, 1] : {tensor(None, 3, 4)}"])
kernel("concat", [tensor(None, 5), tensor(None, 7)], tensor(None, 12), attributes("map", 0, SIZES),
       [f"quern.concat %arg0, %arg1 axis 1 : {tensor(None, 5)}, {tensor(None, 7)}"])
for element in ("f16", "bf16"):
    kernel(f"cast_{element}", [kind], tensor(None, 37, element=element), attributes("map", 0, SIZES),
           [f"quern.cast %arg0 : {kind} to {tensor(None, 37, element=element)}"])
    kernel(f"cast_from_{element}", [tensor(None, 37, element=element)], kind, attributes("map", 0, SIZES),
           [f"quern.cast %arg0 : {tensor(None, 37, element=element)} to {kind}"])
kernel("cast_i32", [tensor(None, 9, element="i32")], tensor(None, 9), attributes("map", 0, SIZES, limit=1000),
       [f"quern.cast %arg0 : {tensor(None, 9, element='i32')} to {tensor(None, 9)}"])

for layout in ("half", "interleaved"):
    for width, pairs in ((8, 4), (64, 32), (20, 6)):
        x, at, table = tensor(None, 3, width), tensor(None, element="!quern.position"), tensor(64, pairs, 2)
        kernel(f"rope_{layout}_{width}", [x, at, table], x, attributes("map", BOUND, SIZES, past=[0, 7, 7, 7, 40]),
               [f"quern.rope %arg0 at %arg1, %arg2 layout <{layout}> : {x}, {at}, {table}"])

for width in (1, 7, 31, 32, 33, 576):
    x = tensor(None, width)
    one = tensor(1, width)
    norm = "quern.rms_norm %arg0, %arg1 eps 1.0e-05 : {}, " + tensor(width)
    kernel(f"rms_norm_{width}_one", [one, tensor(width)], one, attributes("rows", BOUND), [norm.format(one)])
    kernel(f"rms_norm_{width}", [x, tensor(width)], x,
           attributes("rows", BOUND, SIZES, single=f"rms_norm_{width}_one"), [norm.format(x)])
    kernel(f"softmax_{width}", [x], x, attributes("rows", FUNCTION_BOUND, SIZES), [f"quern.softmax %arg0 : {x}"])
    for kind_ in ("sum", "max", "mean"):
        # Sums of values of both signs: relative to the largest sum, which may be small.
        kernel(f"reduce_{kind_}_{width}", [x], tensor(None, 1), attributes("rows", 1e-4, SIZES),
               [f"quern.reduce <{kind_}> %arg0 : {x}"])
x = tensor(None, 40)
kernel("norm_between_maps", [x, x, tensor(40)], x, attributes("rows", FUNCTION_BOUND, SIZES),
       [f"quern.add %arg0, %arg1 : {x}, {x}", f"quern.rms_norm %0, %arg2 eps 1.0e-05 : {x}, {tensor(40)}",
        f"quern.silu %1 : {x}"])
