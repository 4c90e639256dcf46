"""No command of a compiled model gets lost: each file of one has a row in Commands.def, by which it is compiled and listed. A row without
a file, or without its function, does not build."""

import re

import tree

ROW = re.compile(r"^(IMAGE_|TEXT_|)COMMAND\((\w+)\)$", re.MULTILINE)


def check(root):
    text = (root / "runtime/cli/Commands.def").read_text(encoding="utf-8")
    listed = {f"runtime/{'vision' if kind == 'IMAGE_' else 'cli'}/{name}Command.cpp" for kind, name in ROW.findall(text)}
    for path in tree.files(root, {".cpp"}, ["runtime"]):
        if path.name.endswith("Command.cpp") and str(path) not in listed:
            yield f"{path}: the command has no row in runtime/cli/Commands.def"


tree.run(check)
