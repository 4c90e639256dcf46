"""No file above 800 lines."""

import tree

LIMIT = 800
SUFFIXES = {".h", ".cpp", ".td", ".def", ".py", ".rs", ".qn", ".mlir", ".test", ".md", ".txt", ".cmake", ".sh"}


def check(root):
    for path in tree.files(root, SUFFIXES):
        count = sum(1 for _ in tree.lines(root, path))
        if count > LIMIT and not tree.is_data(path):
            yield f"{path}: {count} lines, expected at most {LIMIT}"


tree.run(check)
