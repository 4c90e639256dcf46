"""No state outside the context: every knob is a field of an options struct or of a pass, never an option of the process."""

import re

import tree

OPTION = re.compile(r"\bcl::(opt|list|bits|alias)\b")


def check(root):
    for path in tree.files(root, {".h", ".cpp"}, ["frontend", "dialect", "passes", "codegen", "runtime"]):
        for number, line in tree.lines(root, path):
            match = OPTION.search(line)
            if match:
                yield f"{path}:{number}: `{match[0]}` is an option of the process"


tree.run(check)
