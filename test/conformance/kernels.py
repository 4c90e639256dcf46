"""Text of kernels for `conform`: what the generators of this directory share."""


# How the weight of an argument is stored.
ATTRIBUTES = {"packed": " {quern.packing = #quern.packing<panels>}",
              "compressed": " {quern.packing = #quern.packing<panels13>}"}


def tensor(*dims, element="f32"):
    """tensor(None, 8) is tensor<?x8xf32, #quern.dims<s>>: each None is the symbolic dimension s."""
    shape = "x".join(["?" if dim is None else str(dim) for dim in dims] + [element])
    names = ", ".join("s" for dim in dims if dim is None)
    return f"tensor<{shape}, #quern.dims<{names}>>" if names else f"tensor<{shape}>"


def block(name):
    """The element type called `name`: a float or a block format."""
    return name if name[0] in "fb" else f"!quern.block<{name}>"


def attributes(form, bound, sizes=None, past=None, limit=None, single=None, schedule=None, first=None, stride=None, equal=None,
               tree=None):
    """The attributes of a kernel; see conform.cpp."""
    items = [f"form = #quern.form<{form}>"]
    if bound is not None:
        items.append(f"conform.bound = {bound:e} : f64")
    if sizes is not None:
        items.append("conform.sizes = array<i64: " + ", ".join(map(str, sizes)) + ">")
    if past is not None:
        items.append("conform.past = array<i64: " + ", ".join(map(str, past)) + ">")
    if first is not None:
        items.append("conform.first = array<i64: " + ", ".join(map(str, first)) + ">")
    if stride is not None:
        items.append(f"conform.stride = {stride} : i64")
    if tree is not None:
        items.append("conform.tree = array<i64: " + ", ".join(map(str, tree)) + ">")
    if equal is not None:
        items.append(f"conform.equal = @{equal}")
    if limit is not None:
        items.append(f"conform.limit = {limit} : i64")
    if single is not None:
        items.append(f"conform.single = @{single}")
    if schedule is not None:
        items.append("schedule = #quern.schedule<{" + ", ".join(f"{k} = {v} : i64" for k, v in schedule.items()) + "}>")
    return "attributes {" + ", ".join(items) + "}"


def kernel(name, arguments, result, attrs, body):
    """Prints a kernel. `arguments` are types, those of packed weights with a leading `packed ` or
    `compressed `; %0, %1, … in `body` are its
    lines' results in order, %arg0 … the arguments; the last line's result is yielded."""
    parts = []
    for i, kind in enumerate(arguments):
        storage, _, type = kind.rpartition(" ") if kind.startswith(tuple(ATTRIBUTES)) else ("", "", kind)
        parts.append(f"%arg{i}: {type}" + ATTRIBUTES.get(storage, ""))
    print(f"quern.kernel @{name}({', '.join(parts)}) -> {result} {attrs} {{")
    for i, line in enumerate(body):
        print(f"  %{i} = {line}")
    print(f"  quern.yield %{len(body) - 1} : {result}\n}}")
