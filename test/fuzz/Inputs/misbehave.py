"""A program that breaks one rule of docs/limits.md, and the verdict of the mutants' oracle on each: `misbehave.py MUTANTS`."""

import os
import pathlib
import signal
import sys
import time

BREACHES = {
    "signal": (lambda: os.kill(os.getpid(), signal.SIGSEGV), "signal SIGSEGV"),
    "internal": (lambda: sys.exit(3), "status 3"),
    "usage": (lambda: say("x: error: `a`: found 1", 2), "status 2 for an input"),
    "silent": (lambda: sys.exit(1), "status 1 without a message"),
    "place": (lambda: say("x: error: something went wrong", 1), "a message without file or place"),
    "ours": (lambda: say("x: error: `a`: internal error", 1), "words of ours"),
    "input": (lambda: pathlib.Path(sys.argv[2], "in", "a").write_text("changed"), "changed an input"),
    "temporary": (lambda: pathlib.Path(os.environ["TMPDIR"], "left").touch(), "left a file in TMPDIR"),
    "folder": (lambda: pathlib.Path("left").touch(), "left a file in the working folder"),
    "beside": (lambda: pathlib.Path(sys.argv[2], "out", "m.tmp").touch(), "left a file beside the output"),
    "partial": (lambda: (pathlib.Path(sys.argv[2], "out", "m").touch(), say("x: error: `a`: cut", 1)), "left a file beside the output"),
    "memory": (lambda: bytearray(b"\1") * (1 << 28), "more than 0 GiB"),
    "time": (lambda: (say("x: error: `a`: late", 0), spend(1.1), sys.exit(1)), "more than 10 s"),
    "refusal": (lambda: say("x: error: `a`: found 1, expected 2", 1), None),
    "success": (lambda: None, None),
}


def say(text, status):
    print(text, file=sys.stderr)
    if status:
        sys.exit(status)


def spend(seconds):
    while time.process_time() < seconds:
        pass


def judge(name):
    step = case.Step([sys.executable, __file__, name, "{in}/.."])
    try:
        oracle.run(case.Case("test", {"a": b"right"}, [step]), {}, dict(os.environ))
    except oracle.Verdict as verdict:
        return verdict.rule
    return None


if sys.argv[1] in BREACHES:
    BREACHES[sys.argv[1]][0]()
    sys.exit(0)
sys.path.insert(0, sys.argv[1])
import case
import oracle

# Less of what has to be spent: the test is to be short.
oracle.CPU_SECONDS, oracle.PEAK_BYTES = 1, 1 << 26
BREACHES["time"] = (None, "more than 1 s")
for name, (_, expected) in BREACHES.items():
    found = judge(name)
    assert found == expected, f"{name}: found {found}, expected {expected}"
