"""Convolutions and pools: every shape of window, strides, padding, groups, whole and broken panels and vectors."""

from kernels import attributes, kernel, tensor

# f32 sums of up to 500 products in one order; only where the processor fuses a product with a sum differs.
CONV_BOUND = 1e-5
# Pairs of bf16 are multiplied and added as the reference does it, to the same bits.
PAIR_BOUND = 0
POOL_BOUND = 1e-6
SIZES = [0, 1, 3]


def size(extent, window, stride, before, after, dilation=1, ceil=False):
    room = extent + before + after - dilation * (window - 1) - 1
    if not ceil:
        return room // stride + 1
    count = -(-room // stride) + 1
    return count - 1 if (count - 1) * stride >= extent + before else count


def numbers(word, values):
    return f"{word} [{', '.join(map(str, values))}]"


def conv(name, image, outputs, window, strides=(1, 1), pads=(0, 0, 0, 0), dilations=(1, 1), groups=1, batch=1, epilogue=False,
         weight="f32", pairs=False, schedule=None):
    height, width, channels = image
    row = window[0] * window[1] * channels // groups
    x, w = tensor(batch, height, width, channels), tensor(outputs, row, element=weight)
    out = tensor(batch, size(height, window[0], strides[0], *pads[:2], dilations[0]),
                 size(width, window[1], strides[1], *pads[2:], dilations[1]), outputs)
    body, image, bound = [], "%arg0", CONV_BOUND
    kind = x
    if pairs:
        kind = tensor(batch, height, width, channels, element="bf16")
        body, image, bound = [f"quern.cast %arg0 : {x} to {kind}"], "%0", PAIR_BOUND
    body.append(f"quern.conv2d {image}, %arg1 {numbers('window', window)} {numbers('strides', strides)} "
                f"{numbers('pads', pads)} {numbers('dilations', dilations)} groups {groups} layout <nhwc> : {kind}, {w}")
    arguments = [x, "packed " + w]
    if epilogue:
        arguments += [tensor(outputs), out]
        last = len(body) - 1
        body += [f"quern.add %{last}, %arg2 : {out}, {tensor(outputs)}", f"quern.relu %{last + 1} : {out}",
                 f"quern.add %{last + 2}, %arg3 : {out}, {out}"]
    kernel(name, arguments, out, attributes("conv", bound, SIZES if batch is None else None, schedule=schedule), body)


def pool(name, op, image, window, strides=(1, 1), pads=(0, 0, 0, 0), ceil=False, flags="", batch=1):
    height, width, channels = image
    x = tensor(batch, height, width, channels)
    out = tensor(batch, size(height, window[0], strides[0], *pads[:2], ceil=ceil),
                 size(width, window[1], strides[1], *pads[2:], ceil=ceil), channels)
    line = (f"quern.{op} %arg0 {numbers('window', window)} {numbers('strides', strides)} {numbers('pads', pads)} "
            f"{'ceil ' if ceil else ''}{flags}layout <nhwc> : {x}")
    bound = POOL_BOUND if op == "avg_pool" else 0.0
    kernel(name, [x], out, attributes("pool", bound, SIZES if batch is None else None), [line, f"quern.relu %0 : {out}"])


conv("one", (1, 1, 1), 1, (1, 1))
conv("pointwise", (7, 9, 33), 48, (1, 1), epilogue=True)
conv("pointwise_batch", (5, 6, 17), 80, (1, 1), batch=None, epilogue=True)
conv("square", (9, 13, 20), 32, (3, 3), pads=(1, 1, 1, 1), epilogue=True)
conv("large", (8, 11, 6), 16, (5, 5), pads=(2, 2, 2, 2))
conv("row", (5, 17, 24), 48, (1, 7), pads=(0, 0, 3, 3))
conv("column", (17, 5, 24), 48, (7, 1), pads=(3, 3, 0, 0))
conv("strided", (13, 12, 19), 64, (3, 3), strides=(2, 2), epilogue=True)
conv("colours", (19, 23, 3), 32, (3, 3), strides=(2, 2))
conv("colours_padded", (15, 16, 3), 64, (7, 7), strides=(2, 2), pads=(3, 3, 3, 3), batch=None)
conv("sides", (6, 7, 8), 16, (2, 3), strides=(2, 1), pads=(0, 1, 2, 0))
conv("dilated", (11, 12, 5), 16, (3, 3), pads=(2, 2, 2, 2), dilations=(2, 2))
conv("ragged", (7, 9, 12), 24, (3, 3), pads=(1, 1, 1, 1), epilogue=True)
conv("ragged_narrow", (5, 5, 7), 5, (1, 1), batch=None)
conv("groups", (6, 7, 32), 64, (3, 3), pads=(1, 1, 1, 1), groups=2)
conv("groups_small", (6, 7, 12), 24, (3, 3), groups=4)
conv("depthwise", (9, 8, 48), 48, (3, 3), pads=(1, 1, 1, 1), groups=48, epilogue=True)
conv("depthwise_ragged", (6, 7, 21), 21, (5, 5), pads=(2, 2, 2, 2), groups=21)
conv("depthwise_multiplied", (6, 7, 8), 16, (3, 3), groups=8)
conv("half", (5, 6, 16), 32, (3, 3), pads=(1, 1, 1, 1), weight="f16")
conv("bf16", (5, 6, 16), 32, (3, 3), pads=(1, 1, 1, 1), weight="bf16")
conv("bf16_odd", (5, 6, 3), 32, (3, 3), weight="bf16")
conv("pairs_pointwise", (7, 9, 34), 48, (1, 1), batch=None, epilogue=True, weight="bf16", pairs=True)
conv("pairs_square", (9, 13, 20), 32, (3, 3), pads=(1, 1, 1, 1), epilogue=True, weight="bf16", pairs=True)
conv("pairs_row", (5, 17, 24), 48, (1, 7), pads=(0, 0, 3, 3), weight="bf16", pairs=True)
conv("pairs_strided", (13, 12, 18), 64, (3, 3), strides=(2, 2), weight="bf16", pairs=True)
conv("pairs_dilated", (11, 12, 6), 16, (3, 3), pads=(2, 2, 2, 2), dilations=(2, 2), weight="bf16", pairs=True)
conv("pairs_ragged", (7, 9, 12), 24, (3, 3), pads=(1, 1, 1, 1), batch=None, epilogue=True, weight="bf16", pairs=True)
for rows, vectors, lines in [(1, 1, 1), (7, 3, 2), (8, 2, 64), (14, 4, 4)]:
    conv(f"tile_{rows}_{vectors}_{lines}", (9, 16, 12), 80, (3, 3), pads=(1, 1, 1, 1), batch=None,
         schedule={"rows": rows, "vectors": vectors, "lines": lines})

for op, flags in [("max_pool", ""), ("avg_pool", ""), ("avg_pool", "include_pad ")]:
    name = op + ("_padded" if flags else "")
    pool(name + "_halve", op, (9, 11, 32), (3, 3), strides=(2, 2), flags=flags)
    pool(name + "_smooth", op, (8, 9, 20), (3, 3), pads=(1, 1, 1, 1), flags=flags, batch=None)
    pool(name + "_ceil", op, (10, 13, 5), (3, 3), strides=(2, 2), ceil=True, flags=flags)
    pool(name + "_ceil_padded", op, (7, 6, 17), (3, 2), strides=(2, 3), pads=(1, 0, 0, 1), ceil=True, flags=flags)
    pool(name + "_global", op, (8, 8, 72), (8, 8), flags=flags, batch=None)
    pool(name + "_one", op, (1, 1, 1), (1, 1), flags=flags)
