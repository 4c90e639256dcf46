"""The largest values of rows, and slots in the order of their groups: exact."""

from kernels import attributes, kernel, tensor

SIZES = [0, 1, 2, 3, 7, 8, 13, 31, 70, 200]


def several(name, arguments, results, attrs, op):
    """Prints a kernel of one op with two results."""
    parts = ", ".join(f"%arg{i}: {kind}" for i, kind in enumerate(arguments))
    print(f"quern.kernel @{name}({parts}) -> ({', '.join(results)}) {attrs} {{")
    print(f"  %0, %1 = {op}\n  quern.yield %0, %1 : {', '.join(results)}\n}}")


def top_k(name, dims, k, softmax=False, limit=None):
    x = tensor(*dims)
    results = [tensor(*dims[:-1], k), tensor(*dims[:-1], k, element="i32")]
    attrs = attributes("routing", 1e-6 if softmax else 0, SIZES if None in dims else None, limit=limit)
    several(name, [x], results, attrs, f"quern.top_k %arg0 k {k} : {x}")


for experts, k in [(1, 1), (8, 2), (60, 4), (64, 8), (128, 8), (256, 8), (33, 33)]:
    top_k(f"top_{k}_of_{experts}", (None, experts), k)
    top_k(f"top_{k}_of_{experts}_one", (1, experts), k)
# Of many elements, those of the best runs: one level of runs and two, and a last run that is not whole.
for tokens, k in [(513, 10), (1000, 1), (1007, 63), (9001, 10), (1040, 65)]:
    top_k(f"top_{k}_of_{tokens}", (None, tokens), k)
    top_k(f"top_{k}_of_{tokens}_one", (1, tokens), k)
top_k("grouped_many", (None, 3, 600), 4)
top_k("grouped", (None, 4, 8), 2)
top_k("vector", (16,), 3)

for groups, slots in [(1, 1), (8, 2), (60, 4), (128, 8), (5, 5)]:
    for rows in [1, None]:
        chosen = tensor(rows, slots, element="i32")
        attrs = attributes("routing", 0, SIZES if rows is None else None, limit=groups)
        several(f"group_{groups}_{slots}_{'many' if rows is None else 'one'}", [chosen],
                [chosen, tensor(groups + 1, element="i32")], attrs, f"quern.group_rows %arg0 groups {groups} : {chosen}")


def router(name, rows, experts, k):
    """Softmax, the k largest, which add up to 1 then, and the order of slots, in one kernel."""
    x, best, chosen = tensor(rows, experts), tensor(rows, k), tensor(rows, k, element="i32")
    one, begins = tensor(rows, 1), tensor(experts + 1, element="i32")
    attrs = attributes("routing", 1e-6, SIZES if rows is None else None)
    print(f"quern.kernel @{name}(%arg0: {x}) -> ({best}, {chosen}, {begins}) {attrs} {{")
    print(f"  %0 = quern.softmax %arg0 : {x}\n  %1, %2 = quern.top_k %0 k {k} : {x}\n  %3 = quern.reduce <sum> %1 : {best}")
    print(f"  %4 = quern.div %1, %3 : {best}, {one}\n  %5, %6 = quern.group_rows %2 groups {experts} : {chosen}")
    print(f"  quern.yield %4, %5, %6 : {best}, {chosen}, {begins}\n}}")


def biased_router(name, rows, experts, k):
    """Sigmoid scores, chosen by others: what the chosen ones are is looked up, and adds up to 1 then."""
    x, bias, best, chosen = tensor(rows, experts), tensor(experts), tensor(rows, k), tensor(rows, k, element="i32")
    one, begins = tensor(rows, 1), tensor(experts + 1, element="i32")
    attrs = attributes("routing", 1e-6, SIZES if rows is None else None)
    print(f"quern.kernel @{name}(%arg0: {x}, %arg1: {bias}) -> ({best}, {chosen}, {begins}) {attrs} {{")
    print(f"  %0 = quern.map(%arg0) : {x} -> {x} {{\n  ^bb0(%a: f32):\n    %one = arith.constant 1.0 : f32")
    print("    %n = arith.negf %a : f32\n    %e = math.exp %n : f32\n    %s = arith.addf %one, %e : f32")
    print("    %r = arith.divf %one, %s : f32\n    quern.yield %r : f32\n  }")
    print(f"  %1 = quern.map(%0, %arg1) : {x}, {bias} -> {x} {{\n  ^bb0(%a: f32, %b: f32):")
    print("    %s = arith.addf %a, %b : f32\n    quern.yield %s : f32\n  }")
    print(f"  %2, %3 = quern.top_k %1 k {k} : {x}\n  %4 = quern.gather %0[%3] axis 1 batch 1 : {x}, {chosen}")
    print(f"  %5 = quern.reduce <sum> %4 : {best}\n  %6 = quern.map(%4, %5) : {best}, {one} -> {best} {{")
    print("  ^bb0(%a: f32, %b: f32):\n    %q = arith.divf %a, %b : f32\n    quern.yield %q : f32\n  }")
    print(f"  %7, %8 = quern.group_rows %3 groups {experts} : {chosen}")
    print(f"  quern.yield %6, %7, %8 : {best}, {chosen}, {begins}\n}}")


def places(name, rows, groups, slots):
    """Where the chosen groups lie, of integers and of bools, and more of a computed table than it has."""
    chosen, table = tensor(rows, slots, element="i32"), tensor(groups, element="i32")
    flags, x, begins = tensor(rows, slots, element="i1"), tensor(rows, slots), tensor(groups + 1, element="i32")
    many = tensor(rows, 3 * slots, element="i32")
    attrs = attributes("routing", 0, SIZES if rows is None else None, limit=slots)
    print(f"quern.kernel @{name}(%arg0: {table}, %arg1: {chosen}, %arg2: {x}, %arg3: {many}) -> "
          f"({chosen}, {begins}, {flags}, {tensor(rows, 3 * slots)}) {attrs} {{")
    print(f"  %0 = quern.gather %arg0[%arg1] : {table}, {chosen}\n  %1 = quern.map(%arg2) : {x} -> {flags} {{")
    print("  ^bb0(%a: f32):\n    %z = arith.constant 0.0 : f32\n    %c = arith.cmpf olt, %a, %z : f32\n    quern.yield %c : i1\n  }")
    print(f"  %2 = quern.gather %1[%arg1] axis 1 batch 1 : {flags}, {chosen}\n  %3 = quern.map(%arg2) : {x} -> {x} {{")
    print("  ^bb0(%a: f32):\n    %n = arith.negf %a : f32\n    quern.yield %n : f32\n  }")
    print(f"  %4 = quern.gather %3[%arg3] axis 1 batch 1 : {x}, {many}")
    print(f"  %5, %6 = quern.group_rows %0 groups {groups} : {chosen}")
    print(f"  quern.yield %5, %6, %2, %4 : {chosen}, {begins}, {flags}, {tensor(rows, 3 * slots)}\n}}")


for experts, k in [(8, 2), (60, 4), (256, 8)]:
    biased_router(f"biased_{k}_of_{experts}", None, experts, k)
    biased_router(f"biased_{k}_of_{experts}_one", 1, experts, k)
for rows in [1, None]:
    places(f"places_{'many' if rows is None else 'one'}", rows, 9, 4)

for experts, k in [(8, 2), (60, 4), (128, 8)]:
    router(f"router_{k}_of_{experts}", None, experts, k)
    router(f"router_{k}_of_{experts}_one", 1, experts, k)
