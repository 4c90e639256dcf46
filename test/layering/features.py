"""What a target asks of a processor, the runtime can look up: a feature that it does not know would count as missing."""

import re

import tree

FEATURE = re.compile(r'^CPU_FEATURE\("(\w+)"', re.MULTILINE)
TARGET = re.compile(r'^QUERN_TARGET\("([\w-]+)"(.*?)\)$', re.MULTILINE | re.DOTALL)


def check(root):
    known = set(FEATURE.findall((root / "runtime/CpuFeatures.def").read_text()))
    for name, row in TARGET.findall((root / "codegen/Targets.def").read_text()):
        # The last strings of a row, one list.
        features = re.search(r'((?:"[\w,]+"\s*)+)$', row)[1]
        for feature in re.findall(r"\w+", features):
            if feature not in known:
                yield f"codegen/Targets.def: `{name}` needs `{feature}`, which runtime/CpuFeatures.def does not know"


tree.run(check)
