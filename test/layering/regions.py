"""A verifier looks into an op's regions in `verifyRegions` only, once what they hold is verified: `verify`, and what it calls in its
file, names none."""

import re

import tree

VERIFY = re.compile(r"^LogicalResult (\w+)::verify\(\) \{", re.MULTILINE)
# Functions of the file, by their names; members of ops count as well.
FUNCTION = re.compile(r"^[A-Za-z][^;{()]*?\b(\w+)\([^;{]*\)(?: const)? \{", re.MULTILINE)
REGION = re.compile(r"\b(getBody|getBodyBlock|getInit|getRegions?|getBlocks?|getTerminator|walk|getOps)\(")


def check(root):
    for path in tree.files(root, {".cpp"}, ["dialect/ops"]):
        text = tree.code(root, path)
        functions = {match[1]: tree.enclosed(text, match.end() - 1) for match in FUNCTION.finditer(text)}
        for match in VERIFY.finditer(text):
            code = tree.enclosed(text, match.end() - 1)
            seen = {"verify"}
            while called := set(re.findall(r"\b(\w+)\(", code)) & functions.keys() - seen:
                seen |= called
                code += "\n".join(functions[name] for name in called)
            if found := REGION.search(code):
                yield f"{path}: `{match[1]}::verify` looks into a region by `{found[1]}`, expected only `verifyRegions` to"


tree.run(check)
