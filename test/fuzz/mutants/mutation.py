"""What mutants of every kind are made of: awkward numbers and texts, changes of bytes, and of JSON as a tree."""

import json

INTEGERS = [0, 1, 2, 3, 7, 8, 16, 17, 31, 32, 63, 64, 100, 127, 128, 255, 256, 257, 320, 321, 1000, 4096, 65535, 65536, 10**6, 10**7,
            2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**53, 2**62, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 10**30]
FLOATS = [0.0, -0.0, 0.5, 1.0, 1e-45, 1e-38, 1e-6, 1e6, 65504.0, 65520.0, 3e38, 1e39, 1e308, float("inf"), float("-inf"), float("nan")]
TEXTS = ["", " ", "a", "llama", "gelu", "silu", "linear", "dynamic", "yarn", "llama3", "default", "null", "../x", "a=b", "`", "'", "\"",
         "\n", "\r\n", "\0", "\u2581", "\ufeff", "\ud7ff", "\U0001f600", "%s", "{}", "<|im_end|>", "</s>", "x" * 300, "é" * 70000]


def integer(random, near=None):
    """A whole number that readers stumble on, or one near to what was there."""
    choice = random.random()
    if near is not None and choice < 0.4:
        return near + random.choice([-1, 1, 2, near, -2 * near, 10 * near, near * near])
    number = random.choice(INTEGERS)
    return -number if choice > 0.9 else number


def scalar(random, near=None):
    kind = random.randrange(6)
    if kind < 2:
        return integer(random, near if isinstance(near, int) and abs(near) < 2**64 else None)
    if kind == 2:
        return random.choice(FLOATS)
    if kind == 3:
        return random.choice(TEXTS)
    return random.choice([None, True, False, [], {}, [[]], [1, 2, 3], {"a": 1}])


class Raw:
    """Text that stands in a JSON file as it is."""

    def __init__(self, text):
        self.text = text


class Pairs:
    """A JSON object whose keys may repeat."""

    def __init__(self, pairs):
        self.pairs = pairs


def dump(value):
    """JSON as Python writes it (`NaN`, `Infinity`), with what only a broken writer would put out."""
    if isinstance(value, Raw):
        return value.text
    if isinstance(value, Pairs):
        return "{" + ", ".join(f"{json.dumps(key)}: {dump(item)}" for key, item in value.pairs) + "}"
    if isinstance(value, dict):
        return dump(Pairs(list(value.items())))
    if isinstance(value, list):
        return "[" + ", ".join(map(dump, value)) + "]"
    return json.dumps(value)


def raw(random):
    return Raw(random.choice(["[" * 100000, "[" * 300 + "]" * 300, "{\"a\":" * 500 + "1" + "}" * 500, "1e999999", "-", "01", "1.", "0x10",
                              "\"\\ud800\"", "\"\\u12\"", "\"\t\"", "'a'", "nul", "NaN", "-Infinity", "// note\n1", "1,", "\ufeff1",
                              "9" * 5000, "\"" + "\\n" * 3000 + "\"", ""]))


def places(value, found=None):
    """Every (container, key) of a tree."""
    found = [] if found is None else found
    for key in list(value) if isinstance(value, dict) else range(len(value)):
        found.append((value, key))
        if isinstance(value[key], (dict, list)):
            places(value[key], found)
    return found


def change_tree(random, tree, grafts=()):
    """One change of a tree of dicts and lists in place; what it was. `grafts`: (key, value) pairs worth a try."""
    found = places(tree)
    if not found or (grafts and random.random() < 0.4):
        key, value = random.choice(grafts) if grafts else ("a", 1)
        objects = [tree] if isinstance(tree, dict) else []
        objects += [box[at] for box, at in found if isinstance(box[at], dict)]
        if objects:
            (objects[0] if random.random() < 0.7 else random.choice(objects))[key] = value() if callable(value) else value
            return f"set {key}"
    if not found:
        return "nothing"
    box, key = random.choice(found)
    action = random.randrange(7)
    if action <= 1:
        box[key] = scalar(random, box[key])
    elif action == 2:
        del box[key]
    elif action == 3:
        other, at = random.choice(found)
        box[key] = json.loads(json.dumps(other[at], default=lambda item: None))
    elif action == 4:
        box[key] = raw(random)
    elif action == 5 and isinstance(box, list):
        box[key:key] = [box[key]] * random.choice([1, 2, 1000])
    elif action == 6 and isinstance(box[key], dict):
        box[key] = Pairs(list(box[key].items()) * 2)
    else:
        box[key] = [box[key]] if random.random() < 0.5 else {str(key): box[key]}
    return f"{('set', 'set', 'delete', 'graft', 'spoil', 'repeat', 'repeat')[action]} {key}"


def change_bytes(random, data):
    """One change of bytes."""
    data = bytearray(data)
    at = random.randrange(len(data) + 1)
    action = random.randrange(6)
    if action == 0 and data:
        data[min(at, len(data) - 1)] ^= 1 << random.randrange(8)
    elif action == 1 and data:
        data[min(at, len(data) - 1)] = random.choice([0, 1, 0x7f, 0x80, 0xff])
    elif action == 2:
        del data[at:]
    elif action == 3:
        del data[at:at + random.choice([1, 2, 4, 16, 256])]
    elif action == 4:
        data[at:at] = bytes(random.randrange(256) for _ in range(random.choice([1, 2, 8])))
    else:
        start = random.randrange(len(data) + 1)
        data[at:at] = data[start:start + random.choice([1, 4, 16, 64])]
    return bytes(data)
