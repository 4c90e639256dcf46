"""Prints a model file that nests one construct COUNT times: deep.py CONSTRUCT COUNT."""

import sys

CONSTRUCTS = {
    "bracket": lambda n: "x = " + "(" * n + "1" + ")" * n,
    "unary": lambda n: "x = " + "-" * n + "1",
    "sum": lambda n: "x = 1" + " + 1" * n,
    "power": lambda n: "x = 1" + " ** 1" * n,
    "member": lambda n: "x = a" + ".a" * n,
    "call": lambda n: "x = a" + "()" * n,
    "if": lambda n: "fn f() {\n" + "if a {\n" * n + "}\n" * n + "}",
    "else": lambda n: "fn f() {\n" + "if a {} else " * n + "{}\n}",
    "type": lambda n: "fn f(x: " + "(int, " * n + "int" + ")" * n + ") {}",
    "array": lambda n: "module M {\n  x : " + "[" * n + "A" + "; 1]" * n + "\n}",
}

construct, count = sys.argv[1:]
print(CONSTRUCTS[construct](int(count)))
