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


for experts, k in [(8, 2), (60, 4), (128, 8)]:
    router(f"router_{k}_of_{experts}", None, experts, k)
    router(f"router_{k}_of_{experts}_one", 1, experts, k)
