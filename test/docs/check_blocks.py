"""Checks that what the documentation shows is what the commands print.

    check_blocks.py [--update] FILE.md ...

A code block after a line `<!-- output of: COMMAND -->` holds the output of COMMAND, run by a shell in the repository's root;
one after `<!-- file: PATH -->` holds that file. `--update` writes the blocks anew.
"""

import difflib
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"<!-- (output of|file): (.*?) -->\n```(\w*)\n(.*?)```\n", re.DOTALL)


def wanted(kind, what):
    if kind == "file":
        return (ROOT / what).read_text()
    # `python3` is the Python that runs this: it has NumPy.
    environment = dict(os.environ, PATH=os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"])
    result = subprocess.run(what, shell=True, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE)
    if result.returncode != 0:
        sys.exit(f"`{what}` failed with status {result.returncode}")
    return result.stdout


def main():
    update = sys.argv[1] == "--update"
    status = 0
    for name in sys.argv[2 if update else 1:]:
        path = pathlib.Path(name)
        text = path.read_text()
        blocks = list(BLOCK.finditer(text))
        if not blocks:
            sys.exit(f"{name} holds no checked block")
        for block in reversed(blocks):
            kind, what, language, found = block.groups()
            expected = wanted(kind, what)
            if found == expected:
                continue
            if update:
                text = text[:block.start()] + f"<!-- {kind}: {what} -->\n```{language}\n{expected}```\n" + text[block.end():]
                continue
            status = 1
            print(f"{name}: the block of `{what}` is stale; write it anew with --update")
            sys.stdout.writelines(difflib.unified_diff(found.splitlines(True), expected.splitlines(True), "shown", "printed"))
        if update:
            path.write_text(text)
    sys.exit(status)


if __name__ == "__main__":
    main()
