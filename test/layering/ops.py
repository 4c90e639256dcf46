"""Every op of a family appears in a test: the ops of dialect/ops/<Family>.td, once test/dialect/<family>.mlir exists."""

import re

import tree

RECORD = re.compile(r'^def\s+\w+Op\s*:\s*\w+<\s*"(\w+)"', re.MULTILINE)


def check(root):
    tests = "\n".join((root / path).read_text(encoding="utf-8") for path in tree.files(root, {".mlir"}, ["test"]))
    tested = set(re.findall(r"\bquern\.(\w+)", tests))
    for path in tree.files(root, {".td"}, ["dialect"]):
        if not (root / "test" / "dialect" / f"{path.stem.lower()}.mlir").exists():
            continue
        for name in RECORD.findall((root / path).read_text(encoding="utf-8")):
            if name not in tested:
                yield f"{path}: `quern.{name}` appears in no test"


tree.run(check)
