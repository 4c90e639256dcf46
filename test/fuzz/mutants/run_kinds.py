"""Mutants of what a compiled model reads: images, arrays, prompts, and its own file's end."""

import ast
import re
import struct
import zlib

import gguf_file
import mutation
from case import Case, Step

PICTURES = "test/fuzz/picture"
BIG = [0, 1, 2, 255, 256, 65500, 65535, 65536, 2**20, 2**26, 2**26 + 1, 2**31 - 1, 2**31, 2**32 - 1]


def png_chunks(data):
    chunks, at = [], 8
    while at + 12 <= len(data):
        (size,) = struct.unpack_from(">I", data, at)
        chunks.append([data[at + 4:at + 8], data[at + 8:at + 8 + size]])
        at += size + 12
    return chunks


def write_png(chunks, spoiled=None):
    out = bytearray(b"\x89PNG\r\n\x1a\n")
    for kind, data in chunks:
        check = zlib.crc32(kind + data) if spoiled is not data else 1
        out += struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)
    return bytes(out)


def exif(random):
    """EXIF data: an orientation of any type, order and count."""
    order = random.choice("<>")
    kind = random.choice([0, 1, 2, 3, 4, 5, 6, 8, 9, 13, 16, 255])
    value = random.choice([0, 1, 3, 6, 8, 9, 255, 2**31])
    form = {1: "B3x", 6: "B3x", 3: "H2x", 8: "H2x"}.get(kind, "I")
    entry = struct.pack(order + "HHI", 0x112, kind, random.choice([0, 1, 1, 1, 2, 2**32 - 1]))
    entry += struct.pack(order + form, value % 256 if form[0] == "B" else value % 65536 if form[0] == "H" else value)
    return (b"II" if order == "<" else b"MM") + struct.pack(order + "HIH", 42, random.choice([8, 8, 8, 0, 2**32 - 1]), random.choice([1, 0, 65535])) + entry


def change_png(random, data):
    chunks = png_chunks(data)
    at = random.randrange(len(chunks))
    spoiled = None
    action = random.randrange(9)
    if action == 0:
        field = random.randrange(7)
        header = list(struct.unpack(">IIBBBBB", chunks[0][1]))
        header[field] = random.choice(BIG if field < 2 else [0, 1, 2, 3, 4, 6, 8, 16, 255])
        chunks[0][1] = struct.pack(">IIBBBBB", *header)
    elif action == 1:
        del chunks[at]
    elif action == 2:
        chunks[at:at] = [chunks[random.randrange(len(chunks))]] * random.choice([1, 2, 3000])
    elif action == 3:
        kind = random.choice([b"PLTE", b"tRNS", b"gAMA", b"iCCP", b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"IDAT", b"IEND", b"sBIT", b"hIST", b"aaAa", b"\0\0\0\0"])
        body = exif(random) if kind == b"eXIf" else random.choice([b"", b"\0" * 3, b"a\0\0" + zlib.compress(bytes(1 << 22)), bytes(random.randrange(256) for _ in range(9))])
        chunks[at:at] = [[kind, body]]
    elif action == 4:
        spoiled = chunks[at][1]
    elif action == 5:
        rows = zlib.compress(bytes(random.choice([0, 1, 1 << 16, 1 << 24])))
        chunks = [chunk for chunk in chunks if chunk[0] != b"IDAT"]
        chunks[-1:-1] = [[b"IDAT", rows]]
    elif action == 6:
        random.shuffle(chunks)
    elif action == 7:
        chunks[at][1] = mutation.change_bytes(random, chunks[at][1])
    else:
        return write_png(chunks)[:-random.choice([1, 4, 12, 13, 30])], "cut"
    return write_png(chunks, spoiled), ("IHDR", "delete", "repeat", "add", "checksum", "rows", "shuffle", "chunk")[action]


def jpeg_segments(data):
    """Marker and body of each segment; what is coded stays with its start of scan."""
    segments, at = [], 2
    while at + 4 <= len(data) and data[at] == 0xff:
        marker = data[at + 1]
        (size,) = struct.unpack_from(">H", data, at + 2)
        end = at + 2 + size
        if marker == 0xda:
            while end + 1 < len(data) and not (data[end] == 0xff and data[end + 1] not in (0, *range(0xd0, 0xd8))):
                end += 1
        segments.append([marker, data[at + 4:at + 2 + size], data[at + 2 + size:end]])
        at = end
        if data[at:at + 2] == b"\xff\xd9":
            break
    return segments


def write_jpeg(segments, tail=b"\xff\xd9"):
    out = bytearray(b"\xff\xd8")
    for marker, body, coded in segments:
        out += bytes([0xff, marker]) + struct.pack(">H", (len(body) + 2) % 65536) + body + coded
    return bytes(out + tail)


def change_jpeg(random, data):
    segments = jpeg_segments(data)
    at = random.randrange(len(segments))
    frames = [segment for segment in segments if 0xc0 <= segment[0] <= 0xcf and segment[0] not in (0xc4, 0xc8, 0xcc)]
    scans = [i for i, segment in enumerate(segments) if segment[0] == 0xda]
    action = random.randrange(9)
    if action == 0 and frames:
        body = bytearray(frames[0][1])
        if random.random() < 0.7:
            body[1:5] = struct.pack(">HH", random.choice(BIG) % 65536, random.choice(BIG) % 65536)
        else:
            body[random.randrange(len(body))] = random.choice([0, 1, 2, 3, 4, 0x11, 0x22, 0x44, 0xff])
        frames[0][1] = bytes(body)
    elif action == 1:
        del segments[at]
    elif action == 2:
        segments[at:at] = [segments[random.randrange(len(segments))]] * random.choice([1, 2, 1000])
    elif action == 3:
        segments.insert(0, [0xe1, b"Exif\0\0" + exif(random), b""])
    elif action == 4 and scans:
        scan = segments[random.choice(scans)]
        segments[scans[-1] + 1:scans[-1] + 1] = [scan] * random.choice([1, 10, 490, 4000])
        if frames and random.random() < 0.7:
            frames[0][1] = frames[0][1][:1] + struct.pack(">HH", *random.choice([(8000, 8000), (65500, 1000), (65500, 65500)])) + frames[0][1][5:]
    elif action == 5 and frames:
        frames[0][0] = random.choice([0xc0, 0xc1, 0xc2, 0xc3, 0xc5, 0xc9, 0xca, 0xcf])
    elif action == 6:
        segments[at][1] = mutation.change_bytes(random, segments[at][1])
    elif action == 7:
        segments[at][2] = mutation.change_bytes(random, segments[at][2])
    else:
        return write_jpeg(segments, random.choice([b"", b"\xff", b"\xff\xd9" + b"x" * 100])), "tail"
    return write_jpeg(segments), ("frame", "delete", "repeat", "exif", "scans", "process", "body", "coded")[action]


OTHERS = [b"GIF89a\x01\0\x01\0", b"RIFF\x1a\0\0\0WEBPVP8L", b"BM\x36\0\0\0", b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08", b"\0\0\0\x1cftypavif", b"\0\0\0\x18ftypheic",
          b"%PDF-1.7", b"<svg xmlns=", b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n", b"<!DOCTYPE html>", b"", b"\xff\xd8", b"\x89PNG", b"\x1f\x8b"]


def image(random, root):
    files, changes = {}, []
    for index in range(random.choice([1, 1, 2, 3])):
        path = random.choice(sorted((root / PICTURES).iterdir()))
        data = path.read_bytes()
        if random.random() < 0.05:
            data, change = random.choice(OTHERS), "another format"
        else:
            for _ in range(random.choice([1, 1, 2])):
                whole = data.startswith(b"\x89PNG") and len(png_chunks(data)) and len(png_chunks(data)[0][1]) == 13
                if whole:
                    data, change = change_png(random, data)
                elif data.startswith(b"\xff\xd8") and jpeg_segments(data):
                    data, change = change_jpeg(random, data)
                else:
                    data, change = mutation.change_bytes(random, data), "bytes"
        if random.random() < 0.1:
            data = mutation.change_bytes(random, data)
        files[f"{random.choice(['', '._', 'x'])}{index}{path.suffix}"] = data
        changes.append(f"{path.name}: {change}")
    words = ["{classifier}", "{in}" if random.random() < 0.3 else "{in}/" + next(iter(files))]
    return Case("image", files, [Step([*words, "--json", "--threads", "1"])], changes)


def npy(descr, order, shape, data, version=1):
    text = f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}".encode("latin-1", "replace")
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    size = struct.pack("<H", len(text) % 65536) if version == 1 else struct.pack("<I", len(text))
    return b"\x93NUMPY" + bytes([version % 256, 0]) + size + text + data


DTYPES = ["'<f4'", "'<f4'", "'<i4'", "'<i4'", "'<i8'", "'>f4'", "'>i4'", "'>i8'", "'<f8'", "'<f2'", "'|u1'", "'|b1'", "'|O'", "'<U4'", "'|S3'", "'<c8'", "'<M8[s]'",
          "[('a', '<f4')]", "''", "'<f3'", "1", "None", "'<f4\\0'"]
SHAPES = ["(3,)", "(3,)", "(1, 3)", "(0,)", "()", "(3)", "(3, 1)", "(-1,)", "(9223372036854775807,)", "(4294967296, 4294967296)", "(3.0,)", "(True,)", "[3]", "3",
          "(" + "1, " * 40 + ")", "(" + "1, " * 30000 + ")", "(600,)", "(1, 1, 32, 32)", "(0, 16)", "(99999999999999999999999,)", "(2, 16)", "(1, 16)", "(16, 1)"]


def array(random, root):
    descr, text = random.choice(DTYPES), random.choice(SHAPES)
    if random.random() < 0.5:
        descr = random.choice(DTYPES[:4])
    try:
        shape = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        shape = ()
    count = 1
    for size in shape if isinstance(shape, tuple) else (3,):
        count *= int(size)
    width = int(match[1]) if (match := re.match(r"'[<>|]\w(\d)", descr)) else 4
    count = max(0, min(count, 5000)) * width
    values = random.choice([0, 1, 2, 319, 320, -1, 2**31 - 1, -2**31])
    data = (struct.pack("<i", values) * (count // 4 + 2))[:count] if random.random() < 0.5 else bytes(random.randrange(256) for _ in range(min(count, 4096)))
    file = npy(descr, random.choice(["False", "False", "True", "0", "None"]), text, data[:random.choice([len(data), len(data), max(0, len(data) - 1)])],
               random.choice([1, 1, 1, 2, 3, 0, 9]))
    if random.random() < 0.2:
        file = mutation.change_bytes(random, file)
    good = {name: npy("'<i4'", "False", shape, struct.pack(f"<{len(values)}i", *values)) for name, shape, values in
            (("tokens", "(3,)", [1, 2, 3]), ("at", "(3, 3)", [0, 0, 0, 1, 1, 0, 2, 2, 0]), ("want", "(1,)", [2]))}
    name = random.choice(sorted(good))
    if random.random() < 0.4:
        records = [random.choice([0, 1, 2, 16, 255, 256, 2**31 - 1, -1, -2**31]) for _ in range(9 if name == "at" else 3)]
        file = npy("'<i4'", "False", "(3, 3)" if name == "at" else "(3,)", struct.pack(f"<{len(records)}i", *records))
    run = ["{llm}", "--run", "forward", "--threads", "1"] + [f"--in={key}={{in}}/{key}.npy" for key in good] + ["--out", "logits={out}/y.npy"]
    words = random.choice([["{llm}", "--logits", f"{{in}}/{name}.npy", "-o", "{out}/y.npy", "--threads", "1"], run, run, run])
    words = [part for word in words for part in (["--in", word[5:]] if word.startswith("--in=") else [word])]
    return Case("array", {**{f"{key}.npy": data for key, data in good.items()}, f"{name}.npy": file}, [Step(words, makes=["y.npy"])], [f"{name}: {descr} {text}"])


def prompt(random, root):
    pieces = ["hello", " ", "\r\n", "\n", "\r", "\0", "\xff", "\xef\xbb\xbf", "<|im_start|>", "<|im_end|>", "\xf0\x9f\x98\x80", "\xed\xa0\x80", "a" * 300, "\t", "é"]
    text = "".join(random.choice(pieces) for _ in range(random.choice([0, 1, 3, 10, 60])))
    sampling = random.choice([[], ["--temperature", random.choice(["0.1", "1", "1e30", "1e-30"]), "--top-k", random.choice(["1", "2", "320", "100000"]),
                                   "--top-p", random.choice(["0", "1e-9", "0.3", "1"]), "--min-p", random.choice(["0", "0.5", "1"])]])
    common = ["-n", "3", "--threads", "1", *sampling]
    statuses = [0, 1, 2]
    choice = random.randrange(4)
    step = [Step(["{llm}", "--prompts", "{in}/p.txt", "--parallel", random.choice(["1", "4"]), *common], statuses=statuses),
            Step(["{llm}", "--prompts", "-", *common], stdin=text, statuses=statuses), Step(["{llm}", "-", *common], stdin=text, statuses=statuses),
            Step(["{llm}", "--tokenize", "-"], stdin=text, prints="json")][choice]
    return Case("prompt", {"p.txt": text.encode("latin-1")}, [step], [repr(text)[:80]])


def ending(random, root):
    """The end of a compiled model's file: the trailer and what it points at. The code before it is the user's own."""
    fields = [mutation.integer(random) % 2**64 for _ in range(3)]
    words = ["{edit}", "{llm}", "{out}/m"]
    action = random.randrange(4)
    words += {0: ["trailer", str(random.randrange(3)), str(fields[0])], 1: ["cut", str(random.choice([1, 8, 31, 32, 33, 4096, 100000]))],
              2: ["grow", str(random.choice([1, 32, 4096]))], 3: ["data", str(random.randrange(1 << 20)), str(random.randrange(256))]}[action]
    asked = random.choice([["--info"], ["--prompt-tokens", "1,2,3", "-n", "2", "--print-tokens"], ["--tokenize", "hello"], ["--chat", "hello", "-n", "2"]])
    steps = [Step(["{python}", *words], makes=["m"], statuses=[0]), Step(["{out}/m", *asked, "--threads", "1"])]
    return Case("ending", {}, steps, [" ".join(words[3:])])
