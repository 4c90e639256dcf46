"""The libFuzzer programs of test/fuzz: built with sanitizers, run with corpora that are kept and grow."""

import hashlib
import os
import re
import subprocess
import sys
import time

# Of one input: the rule of docs/limits.md, three times slower and twice as large with sanitizers.
LIMITS = ["-timeout=30", "-rss_limit_mb=2560", "-max_len=65536"]
ENVIRONMENT = {"ASAN_OPTIONS": "detect_container_overflow=0:allow_user_poisoning=0:detect_leaks=0", "UBSAN_OPTIONS": "print_stacktrace=1"}


def names(root):
    return sorted(path.stem for path in (root / "test/fuzz").glob("*.cpp") if path.stem != "Replay")


def build(root, folder, wanted):
    if not (folder / "build.ninja").exists():
        subprocess.run(["cmake", "--preset", "asan", "-B", folder, "-DQUERN_FUZZ=ON"], cwd=root, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", folder, *(f"fuzz-{name}" for name in wanted)], check=True, stdout=subprocess.DEVNULL)


def run(root, folder, name, seconds, corpora, findings, tally, seed):
    """One slice of a target. What it grows stays in its folder of `corpora`; test/fuzz/NAME are the inputs it begins with."""
    corpus = corpora / name
    corpus.mkdir(parents=True, exist_ok=True)
    findings.mkdir(parents=True, exist_ok=True)
    prefix = findings / f"target-{name}-"
    begin = time.monotonic()
    done = subprocess.run(
        [folder / "test/fuzz" / f"fuzz-{name}", f"-max_total_time={max(1, int(seconds))}", *LIMITS, f"-seed={seed + 1}", "-print_final_stats=1",
         f"-artifact_prefix={prefix}", corpus, root / "test/fuzz" / name],
        env={**os.environ, **ENVIRONMENT}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    text = done.stderr.decode("utf-8", "replace")
    runs = re.search(r"stat::number_of_executed_units:\s*(\d+)", text)
    kind = f"target:{name}"
    tally.count(kind, int(runs[1]) if runs else 0, time.monotonic() - begin)
    if done.returncode == 0:
        return
    what = re.search(r"^.*(?:ERROR: |runtime error: |panicked at ).*$", text, re.MULTILINE)
    where = re.search(r"^\s+#\d+ .* in (?:quern|\(anonymous|LLVMFuzzer)\S*.*$", text, re.MULTILINE)
    finding = f"{what[0].strip() if what else f'status {done.returncode}'} {where[0].strip() if where else ''}"
    path = re.search(r"Test unit written to (\S+)", text)
    if tally.find(kind, finding, path[1] if path else None):
        print(f"{kind}: {finding[:400]}\n  scripts/fuzz --replay {path[1] if path else 'FILE'}", flush=True)


def replay(root, folder, path):
    """Runs the program whose finding a file is, by its name; the program's status."""
    match = re.match(r"target-(\w+)-", path.name)
    if not match:
        sys.exit(f"fuzz: error: `{path}`: expected a folder with a `case.json`, or a file `target-NAME-…`")
    build(root, folder, [match[1]])
    return subprocess.run([folder / "test/fuzz" / f"fuzz-{match[1]}", *LIMITS, path], env={**os.environ, **ENVIRONMENT}).returncode
