"""Nothing in the tree names a place on somebody's machine."""

import re

import tree

SUFFIXES = {".h", ".cpp", ".td", ".def", ".py", ".rs", ".qn", ".mlir", ".test", ".md", ".txt", ".cmake", ".sh", ".json",
            ".toml", ".in", ""}
PLACE = re.compile(r"(?<![\w.})*%])/(?:home|root|work|tmp|Users)/[\w.]")


def check(root):
    for path in tree.files(root, SUFFIXES):
        if tree.is_data(path):
            continue
        try:
            for number, line in tree.lines(root, path):
                if PLACE.search(line):
                    yield f"{path}:{number}: names a place on one machine"
        except UnicodeDecodeError:
            pass


tree.run(check)
