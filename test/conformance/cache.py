"""Cache appends and attention."""

from kernels import attributes, kernel, tensor

SIZES = [0, 1, 2, 5, 33]
PAST = [0, 0, 1, 250, 255]
# Scores, powers and weighted sums over up to 288 cache rows in another order than the reference's.
ATTEND_BOUND = 1e-5
# Powers are rounded to 8 bits each; what is rotated before may fall to either side, too.
ATTEND_PAIRS_BOUND = 4e-3
AT = tensor(None, element="!quern.position")
ONE_AT = tensor(1, element="!quern.position")
# Sequences that take turns in a cache: the last of them has rows in a part of its last page only.
FIRST, FIRST_ROWS = [1024, 0, 512], 1400



def attending(element):
    """The elements of a query for caches of `element`, and the bound of their attention."""
    return ("bf16", ATTEND_PAIRS_BOUND) if element == "bf16" else ("f32", ATTEND_BOUND)


for element in ("f32", "f16", "bf16"):
    cache, x = tensor(300, 3, 8, element=element), tensor(None, 3, 8)
    kernel(f"append_{element}", [cache, x, AT], cache, attributes("append", 0, SIZES, PAST),
           [f"quern.cache_append %arg0, %arg1 at %arg2 : {cache}, {x}, {AT}"])
    kernel(f"append_{element}_rows", [cache, x, AT], cache, attributes("append", 0, SIZES, PAST),
           [f"quern.cache_append %arg0, %arg1 at %arg2 layout <rows> : {cache}, {x}, {AT}"])
    kernel(f"append_{element}_plain", [cache, x, AT], cache, attributes("append", 0, SIZES, PAST),
           [f"quern.cache_append %arg0, %arg1 at %arg2 {{quern.plain_cache}} : {cache}, {x}, {AT}"])
    qkv, table = tensor(None, 80), tensor(300, 4, 2)
    # A turned element on the edge between two f16, or bf16, may fall to either side.
    kernel(f"append_rope_{element}", [cache, qkv, AT, table], cache,
           attributes("append", {"f32": 1e-6, "f16": 1e-3, "bf16": 8e-3}[element], SIZES, PAST),
           [f"quern.slice %arg1 axis 1 offset 40 size 24 : {qkv}",
            f"quern.reshape %0 : {tensor(None, 24)} to {x}",
            f"quern.rope %1 at %arg2, %arg3 : {x}, {AT}, {table}",
            f"quern.cache_append %arg0, %2 at %arg2 : {cache}, {x}, {AT}"])

# What is turned has the same bits by vectors of any width.
for element in ("f32", "bf16"):
    cache, x, rows, table = tensor(300, 2, 64, element=element), tensor(None, 2, 64), tensor(None, 128), tensor(300, 32, 2)
    for lanes in (16, 32):
        kernel(f"append_rope_{element}_by_{lanes}", [cache, rows, AT, table], cache,
               attributes("append", 8e-3, SIZES, PAST, schedule={"lanes": lanes}, equal=None if lanes == 16 else f"append_rope_{element}_by_16"),
               [f"quern.reshape %arg1 : {rows} to {x}",
                f"quern.rope %0 at %arg2, %arg3 : {x}, {AT}, {table}",
                f"quern.cache_append %arg0, %1 at %arg2 : {cache}, {x}, {AT}"])

for element in ("f32", "f16", "bf16"):
    query_element, bound = attending(element)
    for heads, groups, depth, size in [(1, 1, 1, 1), (2, 2, 16, 16), (9, 3, 64, 64), (4, 1, 20, 12), (7, 7, 5, 3)]:
        keys, values = tensor(300, groups, depth, element=element), tensor(300, groups, size, element=element)
        if query_element == "bf16" and depth % 2 != 0:
            continue
        for layout in ("lanes", "rows"):
            name = f"attend_{element}_{heads}_{groups}_{depth}_{layout}"
            for rows, at, suffix in ((1, ONE_AT, "_one"), (None, AT, "")):
                query = tensor(rows, heads, depth, element=query_element)
                single = name + "_one" if rows is None else None
                kernel(name + suffix, [query, keys, values, at], tensor(rows, heads, size),
                       attributes("attention", bound, *((SIZES, PAST) if rows is None else ([1], [37])), single=single),
                       [f"quern.attend %arg0, %arg1, %arg2 at %arg3 scale 0.25 layout <{layout}> : {query}, {keys}, {values}, {at}"])

# Values that are the first elements of wider rows: of the keys, by lanes, turned where they are whole vectors; of more heads
# than fit into registers; of a cache of their own, by rows.
for element in ("f32", "f16", "bf16"):
    query_element, bound = attending(element)
    for heads, groups, depth, size in [(4, 1, 48, 32), (4, 2, 20, 12), (40, 1, 36, 16), (3, 3, 16, 16)]:
        rows_of = tensor(300, groups, depth, element=element)
        others = tensor(300, groups, size + 6, element=element)
        for kind in ("latents", "rows", "plain"):
            name = f"attend_{kind}_{element}_{heads}_{depth}"
            values, argument = (others, "%arg3") if kind == "rows" else (rows_of, "%arg1")
            for rows, at, suffix in ((1, ONE_AT, "_one"), (None, AT, "")):
                if kind == "plain" and query_element == "bf16":
                    continue
                query = tensor(rows, heads, depth, element=query_element)
                text = {"latents": "", "rows": " layout <rows>", "plain": " {quern.plain_cache}"}[kind]
                kernel(name + suffix, [query, rows_of, at] + ([others] if kind == "rows" else []), tensor(rows, heads, size),
                       attributes("attention", bound, *((SIZES, PAST) if rows is None else ([1], [37])),
                                  single=name + "_one" if rows is None else None),
                       [f"quern.attend %arg0, %arg1, {argument} elements {size} at %arg2 scale 0.25{text} "
                        f": {query}, {rows_of}, {values}, {at}"])

# Queries of f32 on caches of bf16, and plain tensors, which end within a group of rows or are computed on the way.
for element in ("f32", "f16", "bf16"):
    keys, values, query = tensor(300, 3, 20, element=element), tensor(300, 3, 12, element=element), tensor(None, 9, 20)
    for name, layout in (("", ""), ("_plain", " {quern.plain_cache}")):
        kernel(f"attend_{element}_query_f32{name}", [query, keys, values, AT], tensor(None, 9, 12),
               attributes("attention", ATTEND_BOUND, SIZES, PAST),
               [f"quern.attend %arg0, %arg1, %arg2 at %arg3 scale 0.25{layout} : {query}, {keys}, {values}, {AT}"])
query, rows, sliced = tensor(None, 4, 8), tensor(300, 2, 24), tensor(300, 2, 8)
kernel("attend_slices", [query, rows, AT], query, attributes("attention", ATTEND_BOUND, SIZES, PAST),
       [f"quern.slice %arg1 axis 2 offset 0 size 8 : {rows}", f"quern.slice %arg1 axis 2 offset 16 size 8 : {rows}",
        f"quern.attend %arg0, %0, %1 at %arg2 scale 0.35 {{quern.plain_cache}} : {query}, {sliced}, {sliced}, {AT}"])

qkv, table, query = tensor(None, 80), tensor(300, 4, 2), tensor(None, 4, 8)
rounded, cache = tensor(None, 4, 8, element="bf16"), tensor(300, 2, 8, element="bf16")
kernel("attend_rope_pairs", [qkv, cache, cache, AT, table], query, attributes("attention", ATTEND_PAIRS_BOUND, SIZES, PAST),
       [f"quern.slice %arg0 axis 1 offset 0 size 32 : {qkv}", f"quern.reshape %0 : {tensor(None, 32)} to {query}",
        f"quern.rope %1 at %arg3, %arg4 : {query}, {AT}, {table}", f"quern.cast %2 : {query} to {rounded}",
        f"quern.attend %3, %arg1, %arg2 at %arg3 scale 0.35 : {rounded}, {cache}, {cache}, {AT}"])
cache = tensor(300, 2, 8, element="f16")
kernel("attend_rope", [qkv, cache, cache, AT, table], query, attributes("attention", ATTEND_BOUND, SIZES, PAST),
       [f"quern.slice %arg0 axis 1 offset 0 size 32 : {qkv}", f"quern.reshape %0 : {tensor(None, 32)} to {query}",
        f"quern.rope %1 at %arg3, %arg4 : {query}, {AT}, {table}",
        f"quern.attend %2, %arg1, %arg2 at %arg3 scale 0.35 : {query}, {cache}, {cache}, {AT}"])

for element, heads, groups, depth, size in [("f16", 9, 3, 64, 64), ("f32", 4, 1, 20, 12), ("bf16", 6, 2, 32, 16)]:
    query_element, bound = attending(element)
    keys, values = tensor(FIRST_ROWS, groups, depth, element=element), tensor(FIRST_ROWS, groups, size, element=element)
    name = f"attend_sequences_{heads}"
    for rows, suffix, sizes, past in ((1, "_one", [1], [37]), (4, "_four", [4, 4, 4], [0, 1, 254]), (None, "", SIZES, PAST)):
        query, at = tensor(rows, heads, depth, element=query_element), tensor(rows, element="!quern.position")
        kernel(name + suffix, [query, keys, values, at], tensor(rows, heads, size),
               attributes("attention", bound, sizes, past, single=name + "_one" if rows != 1 else None, first=FIRST),
               [f"quern.attend %arg0, %arg1, %arg2 at %arg3 scale 0.25 : {query}, {keys}, {values}, {at}"])
        if size % 16 == 0:
            kernel(name + "_latents" + suffix, [query, keys, at], tensor(rows, heads, 16),
                   attributes("attention", bound, sizes, past, single=name + "_latents_one" if rows != 1 else None, first=FIRST),
                   [f"quern.attend %arg0, %arg1, %arg1 elements 16 at %arg2 scale 0.25 : {query}, {keys}, {keys}, {at}"])
    cache, x = tensor(FIRST_ROWS, groups, depth, element=element), tensor(None, groups, depth)
    kernel(f"append_sequences_{heads}", [cache, x, AT], cache, attributes("append", 0, SIZES, PAST, first=FIRST),
           [f"quern.cache_append %arg0, %arg1 at %arg2 : {cache}, {x}, {AT}"])
