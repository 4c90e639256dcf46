"""Resizes images larger and smaller and compares with Pillow: `resize.py PROGRAM FILE.png`.

Pillow rounds to 8 bits after each axis and we do not: half a level each time, times how much bicubic weights may enlarge it.
"""

import subprocess
import sys

import numpy as np
from PIL import Image

FILTERS = {0: Image.Resampling.BILINEAR, 1: Image.Resampling.BICUBIC}
TOLERANCE = {0: 1.01, 1: 1.6}
# Of the image and of the result, height and width.
SIZES = [((20, 30), (40, 45)), ((61, 47), (20, 30)), ((30, 41), (30, 17)), ((9, 50), (33, 11)), ((5, 1), (3, 4)), ((7, 7), (7, 7))]


def draw(height, width, random):
    """Blocks of black and white, where bicubic values overshoot, and noise."""
    y, x = np.mgrid[0:height, 0:width]
    blocks = ((y // 5 + x // 7) % 2 * 255).astype(np.uint8)
    return np.dstack([blocks, random.integers(0, 256, (height, width, 2), dtype=np.uint8)])


def main():
    program, path = sys.argv[1:]
    random, failures = np.random.default_rng(1), []
    for (height, width), (rows, columns) in SIZES:
        image = Image.fromarray(draw(height, width, random))
        image.save(path)
        for number, pillow in FILTERS.items():
            output = subprocess.run([program, path, str(rows), str(columns), str(number)], check=True,
                                    stdout=subprocess.PIPE).stdout
            found = np.frombuffer(output, np.float32).reshape(3, rows, columns).transpose(1, 2, 0)
            difference = np.abs(found - np.asarray(image.resize((columns, rows), pillow), np.float32)).max()
            if difference > TOLERANCE[number]:
                failures.append(f"{pillow.name} {height} x {width} to {rows} x {columns}: differs by {difference}")
    print(*failures, sep="\n")
    sys.exit(1 if failures else 0)


main()
