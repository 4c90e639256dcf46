"""Convolutions by Winograd's minimal filtering: tiles of one and two dimensions, whole and broken ones, padding, batches."""

from kernels import attributes, kernel, tensor

# The reference transforms and adds in the same order; only where the processor fuses a product with a sum differs. The errors of
# F(4, 7) are the largest.
BOUND = 2e-5
SIZES = [0, 1, 3]


def winograd(name, image, outputs, window, tile, pads=(0, 0, 0, 0), batch=1, epilogue=False, single=None, schedule=None):
    height, width, channels = image
    points = (tile[0] + window[0] - 1) * (tile[1] + window[1] - 1)
    x, w = tensor(batch, height, width, channels), tensor(outputs, points * channels)
    out = tensor(batch, height + sum(pads[:2]) - window[0] + 1, width + sum(pads[2:]) - window[1] + 1, outputs)
    body = [f"quern.winograd %arg0, %arg1 window {list(window)} tile {list(tile)} pads {list(pads)} : {x}, {w}"]
    arguments = [x, "packed " + w]
    if epilogue:
        arguments += [tensor(outputs), out]
        body += [f"quern.add %0, %arg2 : {out}, {tensor(outputs)}", f"quern.relu %1 : {out}",
                 f"quern.add %2, %arg3 : {out}, {out}"]
    sizes = SIZES if batch is None else None
    kernel(name, arguments, out, attributes("winograd", BOUND, sizes, single=single, schedule=schedule), body)


winograd("whole", (8, 8, 16), 16, (3, 3), (2, 2), pads=(1, 1, 1, 1))
winograd("broken", (9, 11, 20), 32, (3, 3), (4, 4), pads=(1, 1, 1, 1), epilogue=True)
winograd("inside", (9, 7, 16), 48, (3, 3), (4, 4))
winograd("sides", (7, 9, 5), 16, (3, 3), (3, 2), pads=(0, 2, 1, 0))
winograd("large", (9, 10, 12), 64, (5, 5), (2, 2), pads=(2, 2, 2, 2), epilogue=True)
winograd("larger", (13, 12, 16), 32, (3, 3), (6, 6), pads=(1, 1, 1, 1), epilogue=True)
winograd("eight_points", (9, 8, 16), 16, (5, 5), (4, 4), pads=(2, 2, 2, 2))
winograd("small", (3, 2, 16), 16, (3, 3), (4, 4), pads=(1, 1, 1, 1))
winograd("one", (1, 1, 1), 16, (1, 1), (1, 1))
winograd("row", (5, 17, 24), 48, (1, 7), (1, 4), pads=(0, 0, 3, 3), epilogue=True)
winograd("column", (17, 5, 24), 48, (7, 1), (4, 1), pads=(3, 3, 0, 0), epilogue=True)
winograd("row_short", (4, 8, 16), 32, (1, 3), (1, 4), pads=(0, 0, 1, 1))
winograd("column_odd", (17, 3, 16), 32, (7, 1), (3, 1), pads=(3, 3, 0, 0))
winograd("image", (9, 9, 16), 32, (3, 3), (4, 4), pads=(1, 1, 1, 1))
winograd("batch", (9, 9, 16), 32, (3, 3), (4, 4), pads=(1, 1, 1, 1), batch=None, single="image")
for rows, lines, vectors in [(1, 1, 1), (5, 1, 3), (9, 2, 2), (2, 3, 4)]:
    winograd(f"tile_{rows}_{lines}_{vectors}", (18, 33, 12), 80, (3, 3), (4, 4), pads=(1, 1, 1, 1), batch=None,
             schedule={"rows": rows, "lines": lines, "vectors": vectors})
