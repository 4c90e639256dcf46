"""Decodes images of every kind and compares with Pillow: `pictures.py PROGRAM FOLDER`.

Good ones must agree with what Pillow shows (the orientation applied, what is transparent over white), up to a level or two
where decoders may round. Broken ones must be refused with a message that names the file, and never crash.
"""

import pathlib
import struct
import subprocess
import sys
import zlib

import numpy as np
from PIL import Image, ImageOps


def draw(height=21, width=34):
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([x * 255 // (width - 1), y * 255 // (height - 1), (x + y) * 4 % 256], -1).astype(np.uint8)


def save_all(folder):
    """Writes the good images: (path, tolerance)."""
    image = Image.fromarray(draw())
    grey = image.convert("L")
    alpha = Image.fromarray(np.dstack([draw(), draw()[:, :, 0]]))
    exif = {}
    for orientation in range(1, 9):
        exif[orientation] = Image.Exif()
        exif[orientation][0x0112] = orientation
    palette = image.quantize(16)
    wide = Image.fromarray((draw()[:, :, 0].astype(np.uint16) * 257))
    files = {
        "rgb.png": (image, {}), "grey.png": (grey, {}), "bits.png": (grey.convert("1"), {}), "palette.png": (palette, {}),
        "palette-transparent.png": (palette, {"transparency": 3}), "alpha.png": (alpha, {}),
        "grey-alpha.png": (alpha.convert("LA"), {}), "wide.png": (wide, {}), "orientation.png": (image, {"exif": exif[6]}),
        "rgb.jpg": (image, {"quality": 90}), "grey.jpg": (grey, {}), "cmyk.jpg": (image.convert("CMYK"), {"quality": 95}),
        "progressive.jpg": (image, {"progressive": True}), "halved.jpg": (image, {"subsampling": 2}),
        "one.png": (image.crop((0, 0, 1, 1)), {}),
    }
    for orientation in exif:
        files[f"orientation-{orientation}.jpg"] = (image, {"exif": exif[orientation], "subsampling": 0})
    for name, (picture, options) in files.items():
        picture.save(folder / name, **options)
        yield folder / name, 2 if name.endswith("jpg") else 1
    # Pillow does not write these kinds of CMYK: with the inks as YCbCr, and without Adobe's segment.
    cmyk = (folder / "cmyk.jpg").read_bytes()
    start = cmyk.index(b"\xff\xee")
    end = start + 2 + int.from_bytes(cmyk[start + 2:start + 4], "big")
    for name, content in (("ycck.jpg", cmyk[:end - 1] + b"\2" + cmyk[end:]), ("cmyk-plain.jpg", cmyk[:start] + cmyk[end:])):
        (folder / name).write_bytes(content)
        yield folder / name, 2


def expect(path):
    """What Pillow shows, u8[height, width, 3]."""
    image = ImageOps.exif_transpose(Image.open(path))
    if image.mode.startswith("I;16"):
        grey = (np.asarray(image).astype(np.uint32) + 128) // 257
        return np.repeat(grey[:, :, None], 3, -1).astype(np.uint8)
    if image.mode == "CMYK":
        cmyk = 255 - np.asarray(image).astype(np.uint32)
        return ((cmyk[:, :, :3] * cmyk[:, :, 3:] + 127) // 255).astype(np.uint8)
    rgba = image.convert("RGBA")
    return np.asarray(Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB"))


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, data):
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def broken(folder):
    """(name, bytes, part of the message) of files to refuse."""
    good, jpeg = (folder / "rgb.png").read_bytes(), (folder / "rgb.jpg").read_bytes()
    yield "empty.png", b"", "does not begin as a PNG or JPEG image does"
    yield "text.jpg", b"not an image", "does not begin as a PNG or JPEG image does"
    yield "bomb.png", png(60000, 60000, b""), "has 60000 x 60000 pixels, expected at most 67108864"
    large = bytearray(jpeg)
    start = jpeg.index(b"\xff\xc0") + 5
    large[start:start + 4] = struct.pack(">HH", 65000, 65000)
    yield "bomb.jpg", bytes(large), "has 65000 x 65000 pixels, expected at most 67108864"
    yield "crc.png", good[:60] + bytes([good[60] ^ 1]) + good[61:], "the PNG image is broken: "
    yield "short.png", png(8, 8, bytes(25)), "the PNG image is broken: "
    for size in (8, 20, 40, len(good) // 2, len(good) - 12, len(good) - 1):
        yield f"cut-{size}.png", good[:size], "the PNG image is broken: the file is cut off"
    for size in (4, 30, len(jpeg) // 2, len(jpeg) - 3):
        yield f"cut-{size}.jpg", jpeg[:size], "the JPEG image is broken: "


def run(program, path):
    return subprocess.run([program, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)


def check_good(program, path, tolerance):
    done = run(program, path)
    if done.returncode:
        return f"{path.name}: {done.stderr.decode()}"
    sizes, pixels = done.stdout.split(b"\n", 1)
    height, width = map(int, sizes.split())
    found, expected = np.frombuffer(pixels, np.uint8).reshape(height, width, 3), expect(path)
    if found.shape != expected.shape:
        return f"{path.name}: found {found.shape}, expected {expected.shape}"
    difference = np.abs(found.astype(int) - expected).max()
    return f"{path.name}: differs by {difference}, expected at most {tolerance}" if difference > tolerance else None


def check_broken(program, path, message):
    done = run(program, path)
    text = done.stderr.decode()
    if done.returncode != 1 or message not in text or str(path) not in text:
        return f"{path.name}: status {done.returncode}, `{text.strip()}`, expected 1 and `{message}`"
    return None


def check_damaged(program, folder):
    """One byte changed: decoded or refused, never a crash."""
    random = np.random.default_rng(1)
    for name in ("rgb.png", "palette.png", "rgb.jpg", "progressive.jpg", "cmyk.jpg"):
        good = (folder / name).read_bytes()
        for _ in range(20):
            damaged = bytearray(good)
            damaged[random.integers(len(good))] ^= 1 << int(random.integers(8))
            path = folder / f"damaged-{name}"
            path.write_bytes(damaged)
            status = run(program, path).returncode
            if status not in (0, 1):
                yield f"{name}: status {status} for {damaged.hex()}"


def main():
    program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    failures = [check_good(program, *good) for good in save_all(folder)]
    for name, content, message in list(broken(folder)):
        (folder / name).write_bytes(content)
        failures.append(check_broken(program, folder / name, message))
    failures += check_damaged(program, folder)
    failures = [failure for failure in failures if failure]
    print(*failures, sep="\n")
    sys.exit(1 if failures else 0)


main()
