"""No line of C++, of its tables or of its records above 120 characters, comments included, which clang-format does not reflow. A
string literal that is alone on its line may be as long as it is."""

import re

import tree

LIMIT = 120
SUFFIXES = {".c", ".cpp", ".h", ".td", ".def", ".inc"}
LITERAL = re.compile(r'\s*R?"[^"\\]*(\\.[^"\\]*)*"[,;)\]}]*|\s*R"\(.*\)"[,;)\]}]*')


def check(root):
    for path in tree.files(root, SUFFIXES):
        if tree.is_data(path):
            continue
        for number, line in tree.lines(root, path):
            if len(line) > LIMIT and not LITERAL.fullmatch(line):
                yield f"{path}:{number}: {len(line)} characters, expected at most {LIMIT}"


tree.run(check)
