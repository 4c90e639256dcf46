"""Prints a small model file that asks for much work: hostile.py KIND."""

import sys


def entry(body, before=""):
    lines = "\n".join("    " + line for line in body)
    return f"{before}\nmodule Root {{\n  entry forward(x: f32[s, 4]) -> f32[s, 4] {{\n{lines}\n    return x\n  }}\n}}"


def loops(depth, body):
    return ["for i%d in 0..65536 {" % i for i in range(depth)] + body + ["}"] * depth


def functions(count, body):
    """Functions f0, f1, …; each calls the one before by `{}`."""
    lines = ["fn f0(x: [s, 4]) -> [s, 4] { return x }"]
    lines += [f"fn f{i}(x: [s, 4]) -> [s, 4] {{ return {body.replace('{}', f'f{i - 1}(x)')} }}" for i in range(1, count)]
    return "\n".join(lines)


KINDS = {
    "empty-loops": entry(loops(3, [])),
    "loops": entry(loops(2, ["y = i0 + i1"])),
    "operations": entry(loops(2, ["x = x + 1.0"])),
    "operands": entry(["y = x"] + loops(2, ["y = concat(for j in 0..65536: x, axis: 1)"])),
    "strings": entry(['a = "0123456789"'] + ['a = "{a}{a}"'] * 40),
    "added-strings": entry(['a = "0123456789"', "for i in 0..64 { a = a + a }"]),
    "lists": entry(["a = [1, 2]"] + ["a = [for b in a: b, for b in a: b]"] * 40),
    "nested-lists": entry(["a = [1]", "for i in 0..65536 { a = [a] }"]),
    "deep-loops": entry(loops(100, ["y = 1"])),
    "calls": entry(["x = f60(x)"], functions(61, "{} + {}")),
    "endless-calls": entry(["x = g(x)"], "fn g(x: [s, 4]) -> [s, 4] { return h(x) + h(x) }\n"
                           "fn h(x: [s, 4]) -> [s, 4] { return g(x) + g(x) }"),
    "endless-modules": "module A {\n  a : A\n  b : B\n}\nmodule B {\n  a : A\n  b : B\n}\n" + entry([])
                       .replace("  entry", "  a : A\n\n  entry"),
    "tree": "\n".join(f"module M{i} {{\n  a : M{i + 1}\n  b : M{i + 1}\n}}" for i in range(50)) + "\nmodule M50 {\n  w : [4]\n}\n"
            + entry([]).replace("  entry", "  a : M0\n\n  entry"),
    "arrays": "module M {\n  w : [4]\n}\n" + entry([]).replace("  entry", "  a : [[M; 65536]; 65536]\n\n  entry"),
    "paths": "module M {\n  w : [4] named \"" + "x" * 60000 + "\"\n}\n"
             + entry([]).replace("  entry", "  a : [M; 65536]\n\n  entry"),
    "blocks": entry(["x = f63(x)"], "fn f0(x: [s, 4]) -> [s, 4] { return x }\n" + "\n".join(
        f"fn f{i}(x: [s, 4]) -> [s, 4] {{\n" + "if true {\n" * 100 + f"x = f{i - 1}(x)\n" + "}\n" * 100 + "return x\n}"
        for i in range(1, 64))),
    "ties": "module Root {\n" + "".join(f"  w{i} : [4] tied to w{i + 1}\n" for i in range(5000)) + "  w5000 : [4]\n\n"
            "  entry forward(x: f32[s, 4]) -> f32[s, 4] { return x + w0 }\n}",
    "formulas": "config {\n  n : int\n}\n" + "a0 = n\n" + "".join(f"a{i} = a{i - 1} % (a{i - 1} + {i})\n" for i in range(1, 60))
                + "module M {\n  w : [a59]\n}",
    "products": "config {\n" + "".join(f"  n{i} : int\n" for i in range(90)) + "}\na = (" + ") * (".join(
        " + ".join(f"n{10 * j + i}" for i in range(10)) for j in range(9)) + ")\nmodule M {\n  w : [a * a * a]\n}",
    "errors": entry(["for i in 0..65536 { for j in 0..65536 { y = x + \"a\" } }"]),
    "parameters": "fn f(" + ", ".join(f"a{i}: int" for i in range(1000)) + ") {}",
    "name": "a" * 5000 + " = 1",
}

print(KINDS[sys.argv[1]])
