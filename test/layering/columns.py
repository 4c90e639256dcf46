"""No line of C++, of its tables or of its records above 120 characters, comments included, which clang-format does not reflow. A
string literal that is alone on its line may be as long as it is. Files with longer lines stand in columns.txt, and leave it when they
have none."""

import re

import tree

LIMIT = 120
SUFFIXES = {".c", ".cpp", ".h", ".td", ".def", ".inc"}
LITERAL = re.compile(r'\s*R?"[^"\\]*(\\.[^"\\]*)*"[,;)\]}]*|\s*R"\(.*\)"[,;)\]}]*')


def check(root):
    longer = {path for path, in tree.rows(root, "columns.txt")}
    for path in tree.files(root, SUFFIXES):
        if tree.is_data(path):
            continue
        long = [(number, len(line)) for number, line in tree.lines(root, path)
                if len(line) > LIMIT and not LITERAL.fullmatch(line)]
        if str(path) not in longer:
            yield from (f"{path}:{number}: {length} characters, expected at most {LIMIT}" for number, length in long)
        elif not long:
            yield f"test/layering/columns.txt: `{path}` has no longer lines, expected it not to be listed"


tree.run(check)
