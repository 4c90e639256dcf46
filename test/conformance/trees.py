"""Attention of the tokens of trees: each token gives the bits that it gives behind the rows that it sees alone."""

import random

from kernels import attributes, kernel, tensor

LENGTH = 700
# Trees end in the group and the chunk that they begin in, or beyond; begin a group, a chunk, a text.
PAST = [0, 1, 15, 16, 37, 200, 250, 255, 256, 500]
# The element of a cache, that of its queries, the bounds of cache.py, and the heads.
CACHES = [("f16", "f32", 1e-5, (6, 2, 8, 8)), ("f32", "f32", 1e-5, (4, 1, 20, 12)), ("bf16", "bf16", 4e-3, (6, 2, 32, 16)),
          ("bf16", "f32", 1e-5, (3, 3, 16, 5))]
# Sequences that take turns in a cache.
FIRST, FIRST_ROWS = [1024, 0, 512], 1400


def grow(size, wide, seed):
    """The parents of a tree of `size` tokens, each behind its parent: chains where `wide` is small."""
    draw = random.Random(seed)
    return [-1] + [max(0, draw.randrange(node) if draw.random() < wide else node - 1) for node in range(1, size)]


TREES = {"pair": [-1, 0, 0], "chain": list(range(-1, 19)), "medusa": [-1, 0, 0, 0, 1, 1, 2, 4, 4, 5, 8],
         "wide": grow(64, 0.9, 1), "deep": grow(64, 0.2, 2), "line": list(range(-1, 63))}


def attend(query, keys, values, at, rows, window):
    text = "" if window is None else f" window {window}"
    layout = " layout <rows>" if rows else ""
    return [f"quern.attend %arg0, %arg1, %arg2 at %arg3 scale 0.25{text}{layout} : {query}, {keys}, {values}, {at}"]


def family(name, cache, length, trees, past, first=None, window=None, layout=False, few=False):
    """One token, and the tokens of each tree: any number of them, or as many as a kernel is made for."""
    element, query_element, bound, (heads, groups, depth, size) = cache
    keys, values = tensor(length, groups, depth, element=element), tensor(length, groups, size, element=element)

    def one(rows, suffix, sizes, past, **more):
        query, at = tensor(rows, heads, depth, element=query_element), tensor(rows, element="!quern.position")
        kernel(name + suffix, [query, keys, values, at], tensor(rows, heads, size),
               attributes("attention", bound, sizes, past, **more), attend(query, keys, values, at, layout, window))

    one(1, "_one", [1], [0])
    for tree in trees:
        tokens = len(TREES[tree]) * len(first or [0])
        one(tokens if few else None, "_" + tree, [tokens] * len(past), past, single=name + "_one", first=first, tree=TREES[tree])


for i, cache in enumerate(CACHES):
    family(f"trees_{i}", cache, LENGTH, TREES, PAST)
    family(f"few_{i}", cache, LENGTH, ["pair"], PAST, few=True)
family("rows", CACHES[0], LENGTH, ["medusa", "wide"], PAST, layout=True)
for window in (1, 3, 17, 70, 257):
    family(f"window_{window}", CACHES[window % 3], LENGTH, ["medusa", "wide", "line"], PAST, window=window)
    family(f"window_few_{window}", CACHES[window % 3], LENGTH, ["pair"], PAST, window=window, few=True)
family("sequences", CACHES[0], FIRST_ROWS, ["pair", "medusa", "chain"], [0, 1, 200, 240], first=FIRST)
family("sequences_window", CACHES[1], FIRST_ROWS, ["pair", "medusa", "chain"], [0, 1, 200, 240], first=FIRST, window=17)
