"""GGUF files as trees: headers, keys, infos of tensors and their data, read from a right file and written with whatever is in them."""

import dataclasses
import struct

FORMATS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
STRING, ARRAY = 8, 9


@dataclasses.dataclass
class Array:
    type: int
    items: list
    """What the file says of their number; the right one when absent."""
    count: int = None


@dataclasses.dataclass
class Key:
    name: bytes
    type: int
    value: object


@dataclasses.dataclass
class Tensor:
    name: bytes
    sizes: list
    type: int
    offset: int
    data: bytes


@dataclasses.dataclass
class Gguf:
    magic: bytes
    version: int
    keys: list
    tensors: list
    key_count: int = None
    tensor_count: int = None
    alignment: int = 32


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, form):
        (value,) = struct.unpack_from("<" + form, self.data, self.at)
        self.at += struct.calcsize("<" + form)
        return value

    def string(self):
        size = self.take("Q")
        self.at += size
        return self.data[self.at - size:self.at]

    def value(self, kind):
        if kind == STRING:
            return self.string()
        if kind == ARRAY:
            inner = self.take("I")
            return Array(inner, [self.value(inner) for _ in range(self.take("Q"))])
        return self.take(FORMATS[kind])


def align(number, alignment):
    return -(-number // alignment) * alignment


def parse(data):
    reader = Reader(data)
    magic, reader.at = data[:4], 4
    version, tensor_count, key_count = reader.take("I"), reader.take("Q"), reader.take("Q")
    keys = []
    for _ in range(key_count):
        name, kind = reader.string(), reader.take("I")
        keys.append(Key(name, kind, reader.value(kind)))
    infos = []
    for _ in range(tensor_count):
        name = reader.string()
        sizes = [reader.take("Q") for _ in range(reader.take("I"))]
        infos.append((name, sizes, reader.take("I"), reader.take("Q")))
    start = align(reader.at, 32)
    ends = sorted(info[3] for info in infos) + [len(data) - start]
    tensors = [Tensor(*info, data[start + info[3]:start + next(end for end in ends if end > info[3])]) for info in infos]
    return Gguf(magic, version, keys, tensors)


def wrap(number, form):
    """A number as the type holds it."""
    bits = 8 * struct.calcsize("<" + form)
    if form in "fd":
        try:
            return struct.pack("<" + form, float(number))
        except OverflowError:
            return struct.pack("<" + form, float("inf"))
    return (int(number) % (1 << bits)).to_bytes(bits // 8, "little")


def write_string(value):
    return struct.pack("<Q", len(value)) + value


def write_value(kind, value):
    if isinstance(value, bytes):
        return write_string(value) if kind in (STRING, ARRAY) else value[:8]
    if isinstance(value, Array):
        count = len(value.items) if value.count is None else value.count
        return struct.pack("<I", value.type % 2**32) + wrap(count, "Q") + b"".join(write_value(value.type, item) for item in value.items)
    return wrap(value, FORMATS.get(kind, "I"))


def write(file):
    counts = [file.tensor_count if file.tensor_count is not None else len(file.tensors),
              file.key_count if file.key_count is not None else len(file.keys)]
    out = bytearray(file.magic + wrap(file.version, "I") + wrap(counts[0], "Q") + wrap(counts[1], "Q"))
    for key in file.keys:
        out += write_string(key.name) + wrap(key.type, "I") + write_value(key.type, key.value)
    for tensor in file.tensors:
        out += write_string(tensor.name) + struct.pack("<I", len(tensor.sizes)) + b"".join(wrap(size, "Q") for size in tensor.sizes)
        out += wrap(tensor.type, "I") + wrap(tensor.offset, "Q")
    start = align(len(out), file.alignment)
    for tensor in file.tensors:
        # Data stands where the right file has it; an offset that lies elsewhere points at that.
        out += bytes(max(0, start + getattr(tensor, "place", tensor.offset) - len(out))) if tensor.offset < 1 << 24 else b""
        out += tensor.data
    return bytes(out)


def lay_out(file):
    """Gives every tensor the offset after the one before it."""
    at = 0
    for tensor in file.tensors:
        tensor.offset = at
        at = align(at + len(tensor.data), file.alignment)
