"""Every refusal has a reason, and every reason a test: what a function that says why not gives, what a pattern says when it does not
match, and what remarks say of ops that stay apart, occurs in a test of the pass, word for word but for the values in it."""

import re

import passes
import tree

# A function that gives reasons: it gives literals, or is called `whyNot` and makes them.
REASONS = re.compile(r"^ *(?:static )?(?:const char \*\w+|std::string whyNot\w*)\([^;{]*?\)(?: const)? \{", re.MULTILINE)
CALL = re.compile(r"\b(?:notifyMatchFailure|remarkApart)\(")
LITERAL = re.compile(r'"((?:[^"\\\n]|\\.)*)"')


def literals(text):
    """The literals in `text`, those that follow each other joined, but for formats and what holds nothing to read."""
    for match in LITERAL.finditer(re.sub(r'"\s*"', "", re.sub(r"//[^\n]*", "", text))):
        literal = match[1].replace('\\"', '"').strip()
        if re.search(r"\w", literal) and not re.fullmatch(r"%[.\w]+", literal):
            yield literal


def reasons(text):
    for match in REASONS.finditer(text):
        yield from literals(tree.enclosed(text, match.end() - 1))
    for match in CALL.finditer(text):
        yield from literals(tree.enclosed(text, match.end() - 1))


def check(root):
    tests = {path: (root / path).read_text(encoding="utf-8") for path in tree.files(root, {".mlir", ".test"}, ["test/passes"])}
    for path in tree.files(root, {".cpp"}, ["passes"]):
        stem = passes.kebab(path.stem)
        ours = [text for test, text in tests.items() if re.fullmatch(rf"{stem}(-.*)?", test.stem)]
        for reason in reasons((root / path).read_text(encoding="utf-8")):
            if not any(reason in text for text in ours or tests.values()):
                yield f"{path}: `{reason}` occurs in no test of the pass"


if __name__ == "__main__":
    tree.run(check)
