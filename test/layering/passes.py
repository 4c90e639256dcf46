"""The names of a pass are a bijection: record FuseEpilogues, flag quern-fuse-epilogues, file passes/**/FuseEpilogues.cpp, test
test/passes/**/fuse-epilogues.mlir."""

import re

import tree

RECORD = re.compile(r'^def\s+(\w+)\s*:\s*\w*Pass\w*<\s*"([^"]+)"', re.MULTILINE)


def kebab(name):
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()


def records(root):
    """Record name (without `Pass`) and flag of every pass."""
    path = root / "passes" / "Passes.td"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return [(name.removesuffix("Pass"), flag) for name, flag in RECORD.findall(text)]


def check(root):
    passes = records(root)
    sources = tree.files(root, {".cpp"}, ["passes"])
    tests = tree.files(root, {".mlir"}, ["test/passes"])
    for name, flag in passes:
        if flag != f"quern-{kebab(name)}":
            yield f"passes/Passes.td: `{name}` has the flag `{flag}`, expected `quern-{kebab(name)}`"
        if not any(path.stem == name for path in sources):
            yield f"passes/Passes.td: `{name}` has no file `{name}.cpp` under passes/"
        if not any(path.stem == kebab(name) for path in tests):
            yield f"passes/Passes.td: `{name}` has no test `{kebab(name)}.mlir` under test/passes/"
    names = {name for name, _ in passes}
    for path in sources:
        if "GEN_PASS_DEF_" in (root / path).read_text(encoding="utf-8") and path.stem not in names:
            yield f"{path}: the pass has no record `{path.stem}` in passes/Passes.td"
    stems = {kebab(name) for name in names}
    for path in tests:
        # A case of its own (`-invalid`, `-llama`) follows the pass's name; tests beside the folders are of the pipeline.
        ours = any(path.stem == stem or path.stem.startswith(stem + "-") for stem in stems)
        if len(path.parts) > 3 and not ours:
            yield f"{path}: the test bears the name of no pass"


if __name__ == "__main__":
    tree.run(check)
