"""Attention within sliding windows, which end within groups of 16 rows and chunks of 256, at their ends, and beyond the context."""

from kernels import attributes, kernel, tensor

WINDOWS = [1, 3, 15, 16, 17, 255, 256, 257, 512, 700, 2**40]
# The element of a cache, that of its queries, and the bounds of cache.py.
CACHES = [("f16", "f32", 1e-5, (6, 2, 8, 8)), ("f32", "f32", 1e-5, (4, 1, 20, 12)), ("bf16", "bf16", 4e-3, (6, 2, 32, 16))]
AT = tensor(None, element="!quern.position")
# 700 rows are three chunks.
LENGTH, SIZES, PAST = 700, [1, 2, 5, 33, 33, 33, 33], [0, 15, 255, 0, 250, 500, 660]
# Sequences that take turns in a cache.
FIRST, FIRST_ROWS = [1024, 0, 512], 1400


def attend(window, query, keys, values, at, plain=False):
    text = ("" if window is None else f" window {window}") + (" {quern.plain_cache}" if plain else "")
    return [f"quern.attend %arg0, %arg1, %arg2 at %arg3 scale 0.25{text} : {query}, {keys}, {values}, {at}"]


def cached(window, cache, equal=None):
    """One row, and any number of them; all with the bits of the kernels called `equal`."""
    element, query_element, bound, (heads, groups, depth, size) = cache
    keys, values = tensor(LENGTH, groups, depth, element=element), tensor(LENGTH, groups, size, element=element)
    name = f"window_{window or 'none'}_{element}"
    for rows, suffix, sizes, past in ((1, "_one", [1, 1, 1], [3, 255, 699]), (None, "", SIZES, PAST)):
        query, at = tensor(rows, heads, depth, element=query_element), tensor(rows, element="!quern.position")
        kernel(name + suffix, [query, keys, values, at], tensor(rows, heads, size),
               attributes("attention", bound, sizes, past, single=name + "_one" if rows is None else None,
                          equal=equal + suffix if equal else None), attend(window, query, keys, values, at))


for i, window in enumerate(WINDOWS):
    for cache in CACHES if window in (17, 257) else [CACHES[i % len(CACHES)]]:
        cached(window, cache)

# Windows as wide as the context give the bits of none, also where a kernel knows the rows at run time only.
cached(None, CACHES[0])
cached(LENGTH + 1, CACHES[0], equal="window_none_f16")
keys, query = tensor(None, 2, 16), tensor(None, 4, 16)
for window in (None, 3, 257, 600, 2**40):
    kernel(f"dynamic_{window or 'none'}", [query, keys, keys, AT], query,
           attributes("attention", 1e-5, [1, 5, 33, 300, 600], equal="dynamic_none" if (window or 0) >= 600 else None),
           attend(window, query, keys, keys, AT, plain=True))

for window in (3, 17, 257):
    # Several sequences in a step, whose rows are far from each other.
    keys = tensor(FIRST_ROWS, 2, 16, element="f16")
    name = f"sequences_{window}"
    for rows, suffix, sizes, past in ((1, "_one", [1], [200]), (4, "_four", [4, 4, 4], [0, 1, 254]),
                                      (None, "", [0, 1, 2, 5, 33], [0, 0, 1, 250, 255])):
        query, at = tensor(rows, 4, 16), tensor(rows, element="!quern.position")
        kernel(name + suffix, [query, keys, keys, at], query,
               attributes("attention", 1e-5, sizes, past, single=name + "_one" if rows != 1 else None, first=FIRST),
               attend(window, query, keys, keys, at))
    # Tokens of one sequence that are no consecutive rows.
    keys, name = tensor(LENGTH, 2, 16, element="f16"), f"apart_{window}"
    for rows, suffix, sizes, past in ((1, "_one", [1], [37]), (None, "", [5, 12], [0, 9])):
        query, at = tensor(rows, 4, 16), tensor(rows, element="!quern.position")
        kernel(name + suffix, [query, keys, keys, at], query,
               attributes("attention", 1e-5, sizes, past, stride=61, single=name + "_one" if rows is None else None),
               attend(window, query, keys, keys, at))
