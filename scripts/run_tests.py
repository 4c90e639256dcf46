"""Runs every test of a build: the Rust crate's, then lit's. The last line is `N passed, N failed`.

usage: run_tests.py BUILD
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PASSED = {"PASS", "XFAIL", "FLAKYPASS"}
SKIPPED = {"UNSUPPORTED", "SKIPPED", "EXCLUDED"}


def cached(build, name):
    """The value of a variable of the build's CMake cache."""
    for line in (build / "CMakeCache.txt").read_text().splitlines():
        if re.match(rf"{name}:\w+=", line):
            return line.partition("=")[2]
    sys.exit(f"error: `{build}` has no `{name}`; run scripts/setup")


def run_crate(build):
    """Runs the tests of the text library; gives the numbers of passed, failed and skipped ones."""
    print("==> testing the text library", flush=True)
    environment = {"CARGO_TARGET_DIR": str(ROOT / "build" / "cargo"), **os.environ}
    done = subprocess.run(
        [cached(build, "QUERN_CARGO"), "test", "--release", "--locked", "--quiet"],
        cwd=ROOT / "runtime" / "llm" / "text", env=environment, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    counts = re.findall(r"test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored", done.stdout)
    passed, failed, skipped = (sum(map(int, column)) for column in zip(*counts)) if counts else (0, 0, 0)
    if done.returncode != 0:
        print(done.stdout)
        failed = max(failed, 1)
    return passed, failed, skipped


def run_lit(folders, environment=None):
    """Runs lit over the tests in `folders`; gives the numbers of passed, failed and skipped ones."""
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "results.json"
        done = subprocess.run(
            ["lit", "-v", "--order=smart", "--no-progress-bar", "-o", str(results), *map(str, folders)],
            env={**os.environ, **(environment or {})}, stdin=subprocess.DEVNULL)
        if not results.exists():
            return 0, 1, 0
        codes = [test["code"] for test in json.loads(results.read_text())["tests"]]
    passed = sum(code in PASSED for code in codes)
    skipped = sum(code in SKIPPED for code in codes)
    failed = len(codes) - passed - skipped
    return passed, max(failed, 1) if done.returncode != 0 else failed, skipped


def run_all(build):
    """Runs lit over all tests, and over those of the dialect and the passes once more, with the checks of quern-opt."""
    print("==> testing the compiler and the runtime", flush=True)
    yield run_lit([build / "test"])
    print("==> testing the dialect and the passes again, each pass held against its text and the reference", flush=True)
    switches = {"QUERN_CHECK_ROUNDTRIP": "1", "QUERN_CHECK_REFERENCE": "1"}
    yield run_lit([build / "test" / "dialect", build / "test" / "passes"], switches)


def main():
    build = Path(sys.argv[1]).resolve()
    passed, failed, skipped = (sum(column) for column in zip(run_crate(build), *run_all(build)))
    if skipped:
        print(f"==> {skipped} tests were skipped: this machine lacks what they need")
    print(f"{passed} passed, {failed} failed", flush=True)
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
