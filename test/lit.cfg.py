# How lit runs the tests; `lit.site.cfg.py` in the build directory loads this and says where things are.
#
# Tools come from PATH: quern, quern-opt, FileCheck, not, count, diff. Substitutions: %python, %data (test/data), %unit (unit-test
# programs), %source (the repository), %status N COMMAND (a command whose exit status is N; its errors become output),
# %limits NAME=N... COMMAND (a command with limits of the system),
# %smollm2 (the SmolLM2 checkpoint, feature `smollm2`), %inception (a real Inception v3, feature `inception`), %group MEBIBYTES
# COMMAND (a command in a control group of so much memory, feature `groups`), %ptxas (NVIDIA's assembler). Feature `chroot`: a process may change its root.
# Environment: QUERN_CHECK_ROUNDTRIP=1 and QUERN_CHECK_REFERENCE=1 let every quern-opt run check what it does: that its input and each
# pass's result are the same when they are printed and read again, and that each pass leaves what the reference evaluator computes.
# Both cost time and are off by default; scripts/check runs the tests of the dialect and the passes once more with both.
# QUERN_CHECK_ALL=1, of `scripts/check --all`, has devices run all kernels of the conformance suite, not a sample.

import ctypes
import os
import re
import site
import sys

import lit.formats

config.name = "quern"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".qn", ".test"]
config.excludes = ["Inputs", "data"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.quern_build, "test")


def switched_on(name):
    return os.environ.get(name, "0") not in ("", "0")


def add_environment():
    tools = [os.path.join(config.quern_build, "bin"), config.quern_llvm_tools]
    config.environment["PATH"] = os.pathsep.join(tools + [config.environment.get("PATH", "")])
    # LLVM's libraries are not instrumented: containers they grow and pools they allocate from look overflown, and they keep
    # some memory to the end.
    config.environment["ASAN_OPTIONS"] = "detect_container_overflow=0:allow_user_poisoning=0:detect_leaks=0"
    config.environment["UBSAN_OPTIONS"] = "print_stacktrace=1"
    # Kernels that tests compile are kept beside the tests, not in the user's cache.
    config.environment["XDG_CACHE_HOME"] = os.path.join(config.test_exec_root, "cache")
    for switch in ("QUERN_CHECK_ROUNDTRIP", "QUERN_CHECK_REFERENCE", "QUERN_CHECK_ALL"):
        if switched_on(switch):
            config.environment[switch] = "1"


def add_substitutions():
    config.substitutions += [
        ("%python", config.quern_python),
        ("%data", os.path.join(config.test_source_root, "data")),
        ("%ptxas", find_ptxas()),
        ("%unit", os.path.join(config.quern_build, "test", "unit")),
        ("%source", config.quern_source),
        ("%status", f"{config.quern_python} {os.path.join(config.test_source_root, 'Inputs', 'status.py')}"),
        ("%limits", f"{config.quern_python} {os.path.join(config.test_source_root, 'Inputs', 'limits.py')}"),
    ]


def processor_flags():
    try:
        with open("/proc/cpuinfo") as file:
            for line in file:
                if line.startswith("flags"):
                    return set(line.partition(":")[2].split())
    except OSError:
        pass
    return set()


def read_targets():
    """The targets that binaries can be compiled for, and the flags (names of /proc/cpuinfo) a processor needs to run them."""
    with open(os.path.join(config.quern_source, "codegen", "Targets.def")) as file:
        rows = re.findall(r"^QUERN_TARGET\((.*?)\)$", file.read(), re.MULTILINE | re.DOTALL)
    strings = (re.findall(r'"([^"]*)"', row) for row in rows)
    # Name, processor, dot product, and the features, a literal or more.
    return {name: set("".join(features).split(",")) for name, _, _, *features in strings}


def add_features():
    flags = processor_flags()
    config.available_features.update(target for target, needed in read_targets().items() if needed <= flags)
    smollm2 = os.path.join(config.quern_source, ".cache", "SmolLM2-135M-Instruct.Q4_1.gguf")
    if os.path.exists(smollm2):
        config.available_features.add("smollm2")
        config.substitutions.append(("%smollm2", smollm2))
    inception = os.path.join(config.quern_source, ".cache", "inception_v3")
    if os.path.exists(inception):
        config.available_features.add("inception")
        config.substitutions.append(("%inception", inception))


def add_devices():
    """A GPU of CUDA is the interpreter of test/ptx; OpenCL has what the machine has, such as PoCL."""
    library = os.path.join(config.quern_build, "test", "ptx", "libcuda.so.1")
    if os.path.exists(library):
        config.available_features.add("cuda")
        config.environment["QUERN_CUDA_LIBRARY"] = library
    # PoCL keeps what it compiled.
    config.environment["POCL_CACHE_DIR"] = os.path.join(config.quern_build, "test", "pocl")
    try:
        count = ctypes.c_uint32()
        if ctypes.CDLL("libOpenCL.so.1").clGetPlatformIDs(0, None, ctypes.byref(count)) == 0 and count.value > 0:
            config.available_features.add("opencl")
    except OSError:
        pass
    if "opencl" not in config.available_features:
        lit_config.note("tests of OpenCL are skipped: there is no platform")


def find_ptxas():
    """NVIDIA's assembler, which scripts/setup installs."""
    paths = [os.path.join(folder, "nvidia", "cuda_nvcc", "bin", "ptxas") for folder in site.getsitepackages()]
    return next((path for path in paths if os.path.exists(path)), "ptxas")


def add_groups():
    sys.path.insert(0, os.path.join(config.test_source_root, "Inputs"))
    import group

    config.substitutions.append(("%group", f"{config.quern_python} {group.__file__}"))
    if reason := group.check():
        lit_config.note(f"tests in control groups are skipped: {reason}")
    else:
        config.available_features.add("groups")


def add_roots():
    """Whether a process may get another root folder."""
    if os.geteuid() == 0:
        config.available_features.add("chroot")
    else:
        lit_config.note("tests in another root folder are skipped: they need root")


add_environment()
add_substitutions()
add_features()
add_devices()
add_groups()
add_roots()
