"""What is chosen of tables by indices, along any axis: exact."""

from kernels import attributes, block, kernel, tensor

WEIGHTS = ["f32", "f16", "bf16", "q8_0", "q4_0", "q4_1", "q5_0", "q5_1", "q4_k", "q5_k", "q6_k"]
SIZES = [0, 1, 2, 5, 33]


def gather(name, table, indices, axis=0, batch=0, element="f32", limit=None, storage="", single=None):
    """A kernel of one gather. `table` and `indices` are dimensions; indices are below `limit`, the axis's size if not given."""
    dims = table[:axis] + indices[batch:] + table[axis + 1:]
    result = tensor(*dims, element=element if element[0] == "i" else "f32")
    kinds = [tensor(*table, element=block(element) if element[0] != "i" else element), tensor(*indices, element="i32")]
    where = (f" axis {axis}" if axis else "") + (f" batch {batch}" if batch else "")
    sizes = SIZES if None in table + indices else None
    kernel(name, [storage + kinds[0], kinds[1]], result,
           attributes("gather", 0, sizes, limit=limit or table[axis], single=single),
           [f"quern.gather %arg0[%arg1]{where} : {kinds[0]}, {kinds[1]}"])


# Rows of weights: by one index each, and by several. Parameters lie in panels.
for weight in WEIGHTS:
    k = 512 if weight.endswith("_k") else 96
    gather(f"rows_{weight}", (50, k), (None,), element=weight, storage="packed ")
    gather(f"several_{weight}", (50, k), (None, 3), element=weight, storage="packed ")
gather("rows_compressed", (50, 70), (None,), element="bf16", storage="compressed ")
gather("several_compressed", (50, 70), (None, 3), element="bf16", storage="compressed ")

# Their columns, all and one of each row.
for weight, storage in [("f32", "packed "), ("f16", "packed "), ("bf16", "packed "), ("bf16", "compressed ")]:
    name = f"{weight}_{storage.strip()}"
    gather(f"columns_{name}", (50, 71), (13,), 1, element=weight, storage=storage)
    gather(f"column_{name}", (50, 71), (), 1, element=weight, storage=storage)
    gather(f"each_{name}", (50, 71), (50,), 1, 1, element=weight, storage=storage)
    gather(f"some_{name}", (50, 71), (50, 3), 1, 1, element=weight, storage=storage)

# Tables of a step and of any number of axes: what is before the axis, behind it, or shared with the indices.
for element in ["f32", "f16", "bf16", "i32", "i1"]:
    def case(name, *args, **options):
        gather(f"{name}_{element}", *args, element=element, **options)

    case("vector", (9,), (None,))
    case("vector_once", (9,), ())
    case("dense", (9, 3, 5), (None,))
    case("dense_once", (7, 33), ())
    case("dense_several", (9, 3, 5), (None, 2, 3))
    case("last", (None, 33), (5,), 1)
    case("last_once", (None, 33), (), 1)
    case("middle", (None, 7, 3), (4,), 1)
    case("middle_several", (3, 7, 19), (2, 4), 1)
    case("lookup_one", (1, 256), (1, 8), 1, 1)
    case("lookup", (None, 256), (None, 8), 1, 1, single=f"lookup_one_{element}")
    case("lookup_once", (None, 17), (None,), 1, 1)
    case("lookup_of_one", (None, 1), (None, 3), 1, 1)
    case("lookup_rows", (None, 4, 7, 3), (None, 2), 2, 1)
    case("lookup_groups", (None, 4, 7, 3), (None, 4, 2), 2, 2)
    case("lookup_each", (None, 4, 7), (None, 4), 2, 2)
    case("lookup_many", (3, 5, 2), (3, 40), 1, 1)
    case("one", (1, 1), (1, 1), 1, 1)

# What is computed on the result stays in the kernel, and so does what only moves the operands.
table, indices, result = tensor(None, 4, 7), tensor(None, 2, element="i32"), tensor(None, 2, 7)
kernel("moved", [tensor(None, 28), indices, result], result, attributes("gather", 1e-6, SIZES, limit=4), [
    f"quern.reshape %arg0 : {tensor(None, 28)} to {table}", f"quern.slice %arg1 axis 1 offset 0 size 2 : {indices}",
    f"quern.gather %0[%1] axis 1 batch 1 : {table}, {indices}", f"quern.map(%2, %arg2) : {result}, {result} -> {result} {{\n"
    "  ^bb0(%a: f32, %b: f32):\n    %s = arith.addf %a, %b : f32\n    quern.yield %s : f32\n  }"])
