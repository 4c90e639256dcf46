"""Makes the images of classify.test: `images.py FOLDER`."""

import pathlib
import sys

from PIL import Image

folder = pathlib.Path(sys.argv[1])
(folder / "many").mkdir(parents=True, exist_ok=True)
(folder / "none").mkdir(exist_ok=True)
for name, colour in (("red.png", "red"), ("green.jpg", "lime"), ("many/a.JPG", "blue"), ("many/b.png", "red"), ("many/c.jpeg", "lime")):
    Image.new("RGB", (9, 6), colour).save(folder / name, format="PNG" if name.endswith("png") else "JPEG")
Image.new("RGBA", (5, 5), (0, 0, 0, 0)).save(folder / "clear.png")
(folder / "broken.png").write_bytes((folder / "red.png").read_bytes()[:50])
for hidden in ("._a.jpg", ".DS_Store", ".b.png"):
    (folder / "many" / hidden).write_bytes(b"\0\5\x16\7 what macOS leaves beside a file")
(folder / "webp.jpg").write_bytes(b"RIFF\x1a\0\0\0WEBPVP8L")
(folder / "many" / "notes.txt").write_text("no image\n")
