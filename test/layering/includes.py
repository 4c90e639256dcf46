"""A stage includes only what the architecture allows: one direction of knowledge."""

import re
from pathlib import Path

import tree

# What the files of a stage may include, by the start of the path; programs and tests may include anything. Files are
# opened and written in one way, the runtime's.
SYSTEM = ("runtime/include/quern/Result.h", "runtime/File.h", "runtime/Inputs.h", "runtime/MappedFault.h", "runtime/Memory.h",
          "runtime/OutputFile.h", "runtime/Workers.h")
ALLOWED = {
    "dialect": ("dialect/", "mlir/", "llvm/", "runtime/include/quern/Positions.h", "runtime/include/quern/Positions.def"),
    "frontend": ("frontend/", "dialect/", "mlir/", "llvm/", *SYSTEM),
    "passes": ("passes/", "dialect/", "mlir/", "llvm/", *SYSTEM),
    "codegen": ("codegen/", "dialect/", "mlir/", "llvm/", "lld/", "Halide.h", "HalideRuntime.h",
                "runtime/include/quern/Format.h", "quern/Format.h", "runtime/devices/HalideBuffer.h", *SYSTEM),
    "runtime": ("runtime/", "quern/", "HalideRuntime.h"),
    "tuner": ("tuner/", "llvm/ADT/", "llvm/Support/", *SYSTEM),
    "tools/driver": ("tools/driver/", "tuner/", "frontend/", "passes/", "codegen/", "tuner/", "dialect/", "runtime/", "quern/", "mlir/",
                     "llvm/"),
}
# Prefixes that mean another part of the project or of the compiler's libraries; anything else is the C++ or C library.
KNOWN = ("dialect/", "frontend/", "passes/", "codegen/", "runtime/", "tools/", "tuner/", "quern/",
         "mlir/", "llvm/", "lld/", "clang/", "Halide")
INCLUDE = re.compile(r'\s*#\s*include\s+["<]([^">]+)[">]')


def check(root):
    for stage, allowed in ALLOWED.items():
        for path in tree.files(root, {".h", ".cpp", ".def", ".td", ".inc"}, [stage]):
            for number, line in tree.lines(root, path):
                match = INCLUDE.match(line)
                if not match:
                    continue
                name = match[1]
                if ".." in Path(name).parts:
                    yield f"{path}:{number}: `{name}` is not written from an include root"
                elif name.startswith(KNOWN) and not name.startswith(allowed):
                    yield f"{path}:{number}: {stage} may not include `{name}`"


tree.run(check)
