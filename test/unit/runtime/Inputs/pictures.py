"""Decodes images of every kind and compares with Pillow: `pictures.py PROGRAM FOLDER`.

Good ones must agree with what Pillow shows (the orientation applied, what is transparent over white), up to a level or two
where decoders may round. Broken ones must be refused with a message that names the file, and never crash.
"""

import pathlib
import resource
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


def exif_data(order, kind, value):
    """EXIF data whose orientation is of a TIFF type: BYTE 1, SHORT 3, LONG 4, SBYTE 6, SSHORT 8, SLONG 9, or one of no integers."""
    form = {1: "B3x", 3: "H2x", 4: "I", 6: "b3x", 8: "h2x", 9: "i"}.get(kind, "I")
    entry = struct.pack(order + "HHI" + form, 0x112, kind, 1, value)
    return (b"II" if order == "<" else b"MM") + struct.pack(order + "HIH", 42, 8, 1) + entry + bytes(4)


def segment(marker, body):
    return bytes([0xff, marker]) + struct.pack(">H", len(body) + 2) + body


def save_orientations(folder):
    """Orientations of every integer type in both orders of bytes, and of a type that is none: (path, the one that Pillow turns so)."""
    turned, plain = "orientation-6.jpg", "orientation-1.jpg"
    jpeg, good = (folder / plain).read_bytes(), (folder / "rgb.png").read_bytes()
    jpeg = jpeg[:2] + jpeg[jpeg.index(b"\xff\xdb"):]
    for order in "<>":
        for kind in (1, 3, 4, 6, 8, 9, 2):
            exif, name = exif_data(order, kind, 6), f"exif-{'II' if order == '<' else 'MM'}-{kind}"
            (folder / f"{name}.jpg").write_bytes(jpeg[:2] + segment(0xe1, b"Exif\0\0" + exif) + jpeg[2:])
            yield folder / f"{name}.jpg", folder / (plain if kind == 2 else turned)
            (folder / f"{name}.png").write_bytes(good[:33] + chunk(b"eXIf", exif) + good[33:])
            yield folder / f"{name}.png", folder / ("rgb.png" if kind == 2 else "orientation.png")


def save_cut(folder):
    """Files that end after their last row: without an end marker or chunk, or in the middle of it."""
    good = (folder / "rgb.png").read_bytes()
    for size in (12, 11, 8, 1):
        (folder / f"no-end-{size}.png").write_bytes(good[:-size])
        yield folder / f"no-end-{size}.png", folder / "rgb.png"
    for name in ("rgb", "grey", "progressive", "cmyk"):
        for size in (2, 1):
            path = folder / f"no-end-{name}-{size}.jpg"
            path.write_bytes((folder / f"{name}.jpg").read_bytes()[:-size])
            yield path, folder / f"{name}.jpg"


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
    yield "empty.png", b"", "found nothing, expected a PNG or JPEG image"
    yield "text.jpg", b"not an image", "found something else, expected a PNG or JPEG image"
    for magic, what in FORMATS:
        yield f"other-{magic[:12].hex()}.png", magic + bytes(20), f"found {what}, expected a PNG or JPEG image"
    yield "bomb.png", png(60000, 60000, b""), "has 60000 x 60000 pixels, expected at most 67108864"
    large = bytearray(jpeg)
    start = jpeg.index(b"\xff\xc0") + 5
    large[start:start + 4] = struct.pack(">HH", 65000, 65000)
    yield "bomb.jpg", bytes(large), "has 65000 x 65000 pixels, expected at most 67108864"
    yield "crc.png", good[:60] + bytes([good[60] ^ 1]) + good[61:], "the PNG image is broken: "
    yield "short.png", png(8, 8, bytes(25)), "the PNG image is broken: "
    # Before the last row, though after most of the data; without a check of it, a row may be made up.
    for size in (8, 20, 40, len(good) // 2, len(good) - 40):
        yield f"cut-{size}.png", good[:size], "the PNG image is broken: the file is cut off"
    for size in (4, 30, len(jpeg) // 2, len(jpeg) - 3):
        yield f"cut-{size}.jpg", jpeg[:size], "the JPEG image is broken: the file is cut off"
    # A cut between two scans: what the missing ones say would be made up.
    progressive = (folder / "progressive.jpg").read_bytes()
    yield "cut-scan.jpg", progressive[:progressive.rindex(b"\xff\xda")], "the JPEG image is broken: the file is cut off"
    yield "scans.jpg", scan_bomb(512, 501), "the JPEG image is broken: it has more than 500 scans of 512 x 512 pixels"
    yield "large-scans.jpg", scan_bomb(8192, 33), "the JPEG image is broken: it has more than 32 scans of 8192 x 8192 pixels"


def coded(bits):
    """Coded data of a JPEG scan: the bits, filled up with ones."""
    bits += "1" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0")


def scan_bomb(side, scans):
    """A grey square in a first scan of its means, then scans that say of its blocks, 32767 with one code, that nothing is in them."""
    blocks = (side // 8) ** 2
    table = lambda kind, symbol: segment(0xc4, bytes([kind << 4, 1, *[0] * 15, symbol]))
    run = "".join("0" + format(min(32767, blocks - start) - 16384 if blocks - start >= 16384 else 0, "014b") for start in range(0, blocks, 32767))
    file = b"\xff\xd8" + segment(0xdb, b"\0" + b"\1" * 64) + segment(0xc2, struct.pack(">BHH4B", 8, side, side, 1, 1, 0x11, 0))
    file += table(0, 0) + table(1, 0xe0) + segment(0xda, bytes([1, 1, 0, 0, 0, 0])) + coded("0" * blocks)
    return file + (segment(0xda, bytes([1, 1, 0, 1, 63, 0])) + coded(run)) * (scans - 1) + b"\xff\xd9"


FORMATS = [
    (b"RIFF\x1a\0\0\0WEBPVP8L", "a WebP image"), (b"GIF89a", "a GIF image"), (b"BM6\0", "a BMP image"), (b"II*\0", "a TIFF image"),
    (b"MM\0*", "a TIFF image"), (b"\0\0\0\x1cftypavif", "an AVIF image"), (b"\0\0\0\x18ftypheic", "a HEIC image"),
    (b"\0\0\0\x18ftypmif1", "a HEIF image"), (b"\xff\x0a", "a JPEG XL image"), (b"\0\0\0\x0cJXL \r\n", "a JPEG XL image"),
    (b"%PDF-1.7", "a PDF document"), (b"<svg xmlns=", "an SVG drawing"), (b"<!DOCTYPE html>", "a web page"),
    (b"\0\5\x16\7\0\2\0\0", "the attributes that macOS keeps of another file")]


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


def check_same(program, path, other):
    found, expected = run(program, path), run(program, other)
    same = found.returncode == expected.returncode == 0 and found.stdout == expected.stdout
    return None if same else f"{path.name}: {found.stderr.decode()} differs from {other.name}"


def check_texts(program, folder):
    """Thousands of texts that are megabytes each when they are decompressed: they are not."""
    good = (folder / "rgb.png").read_bytes()
    text = chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(7_000_000), 9))
    path = folder / "texts.png"
    path.write_bytes(good[:33] + 300 * text + good[33:])
    failure = check_same(program, path, folder / "rgb.png")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return failure or (f"{path.name}: {peak} KiB, expected less than 1 GiB" if peak > 1 << 20 else None)


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
    failures += [check_same(program, *pair) for pair in [*save_orientations(folder), *save_cut(folder)]]
    failures.append(check_texts(program, folder))
    for name, content, message in list(broken(folder)):
        (folder / name).write_bytes(content)
        failures.append(check_broken(program, folder / name, message))
    failures += check_damaged(program, folder)
    failures = [failure for failure in failures if failure]
    print(*failures, sep="\n")
    sys.exit(1 if failures else 0)


main()
