"""Draws what stripes.qn is to tell apart: `draw_stripes.py DIRECTORY` writes three images, and their patterns as an array.

x.npy is rows, columns and plain as the network takes them: f32[3, 1, 32, 32], 0 to 1.
"""

import pathlib
import sys

import numpy as np
from PIL import Image


def main():
    folder = pathlib.Path(sys.argv[1])
    y, x = np.mgrid[0:32, 0:32]
    images = {"rows": y // 4 % 2, "columns": x // 4 % 2, "plain": x / 32}
    for name, values in images.items():
        Image.fromarray((values * 255).astype(np.uint8)).resize((96, 64)).save(folder / f"{name}.png")
    np.save(folder / "x.npy", np.stack(list(images.values()))[:, None].astype(np.float32))


if __name__ == "__main__":
    main()
