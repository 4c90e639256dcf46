"""What an op or a form is like, the op says through its interfaces: no pass and no generator tells them apart by name. Outside of the
files that are an op's or a form's own

- no form is named (`KernelForm::X`), but as the parameter of a table's rows, `Form`;
- no `TypeSwitch` that names an op, and no `switch` over a form, has a default that reports nothing;
- no three ops are told apart in one place: named by one `isa`, or by tests of one value in a row.

Ops are those that compute. Those of Structure.td and Kernel.td are what the levels of a module are made of: passes turn one into
another, so they name them.

What does so today stands in forms.txt, with how many places of a kind a file has at most, and leaves it when it has none."""

import re
from collections import Counter

import tree

STAGES = ["dialect", "passes", "codegen", "tools"]
OWN = ("dialect/ops/", "codegen/templates/", "dialect/Attrs.td", "codegen/Templates.def")
STRUCTURE = {"Structure.td", "Kernel.td"}
REPORTS = re.compile(r"\b(emit\w*Error|notifyMatchFailure|llvm_unreachable|report_fatal_error)\b")
TEST = re.compile(r"\bif \((?:auto \w+ = )?!?(?:llvm::)?(?:isa|dyn_cast)(?:_or_null|_if_present)?<([^>]*)>\((\w+)")
RECORD = re.compile(r"^def Quern_(\w+Op)\s*:", re.MULTILINE)


def line(text, offset):
    return text.count("\n", 0, offset) + 1


def find_forms(text, ops):
    for match in re.finditer(r"\bKernelForm::(?!Form\b)\w+", text):
        yield line(text, match.start()), f"names the form `{match[0]}`"


def find_defaults(text, ops):
    for match in re.finditer(r"\.Default\(", text):
        cases = text[max(text.rfind("Switch<", 0, match.start()) - 4, 0) : match.start()]
        silent = not REPORTS.search(tree.enclosed(text, match.end() - 1))
        if silent and cases.startswith("TypeSwitch<") and ops.intersection(re.findall(r"\w+", cases)):
            yield line(text, match.start()), "has a default over ops that reports nothing"
    for match in re.finditer(r"\bswitch \(", text):
        value = tree.enclosed(text, match.end() - 1)
        body = tree.enclosed(text, text.index("{", match.end() + len(value) - 1))
        default = re.search(r"\bdefault:.*", body, re.DOTALL)
        if default and re.search(r"[Ff]orm\b", value) and not REPORTS.search(default[0]):
            yield line(text, match.start()), "has a default over forms that reports nothing"


def find_lists(text, ops):
    for match in re.finditer(r"\bisa(?:_and_nonnull|_and_present)?<([^<>]*)>", text):
        named = ops.intersection(re.findall(r"\w+", match[1]))
        if len(named) > 2:
            yield line(text, match.start()), f"tells {len(named)} ops apart by name"
    tests = [(line(text, match.start()), match[2]) for match in TEST.finditer(text)
             if ops.intersection(re.findall(r"\w+", match[1]))]
    run = []
    for number, value in tests:
        # A run goes on while the same value is tested, a few lines after it was.
        run = [*run, (number, value)] if run and run[-1][1] == value and number - run[-1][0] <= 6 else [(number, value)]
        if len(run) == 3:
            yield number, f"tells ops apart by name: the third test of `{value}` in a row"


def check(root):
    records = [path for path in tree.files(root, {".td"}, ["dialect/ops"]) if path.name not in STRUCTURE]
    ops = {name for path in records for name in RECORD.findall((root / path).read_text(encoding="utf-8"))}
    today = {(path, kind): int(count) for path, kind, count in tree.rows(root, "forms.txt")}
    counts = Counter()
    for path in tree.files(root, {".h", ".cpp", ".td", ".def"}, STAGES):
        if str(path).startswith(OWN):
            continue
        text = tree.code(root, path)
        for find in (find_forms, find_defaults, find_lists):
            kind = find.__name__.removeprefix("find_")
            places = list(find(text, ops))
            counts[str(path), kind] = len(places)
            allowed = today.get((str(path), kind), 0)
            if len(places) > allowed:
                listed = f", one of {len(places)} such places where {allowed} are listed" if allowed else ""
                yield from (f"{path}:{number}: {what}{listed}" for number, what in places)
    for path, kind in today:
        if counts[path, kind] == 0:
            yield f"test/layering/forms.txt: `{path}` has no {kind}, expected it not to be listed"


tree.run(check)
