"""A fuzzing session: mutants of every kind, each for the same time, on all jobs; what it found, told once and kept."""

import hashlib
import multiprocessing
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time

import model_kinds
import oracle
import run_kinds
import weight_kinds

KINDS = {
    "config": model_kinds.config, "tokenizer": model_kinds.tokenizer, "template": model_kinds.template, "model": model_kinds.model,
    "gguf": weight_kinds.gguf, "safetensors": weight_kinds.safetensors, "experts": weight_kinds.experts, "routing": weight_kinds.routing,
    "medusa": weight_kinds.medusa, "schedules": weight_kinds.schedules,
    "image": run_kinds.image, "array": run_kinds.array, "prompt": run_kinds.prompt, "ending": run_kinds.ending}
# The target of what mutants compile: one that is kept small and runs anywhere.
TARGET = "x86-64-v3"


class Places:
    """Where things are, and what the kinds that only run a binary share: one model of each sort, compiled once a session."""

    def __init__(self, root, build, folder, cache=None):
        self.root, self.folder = root, folder
        folder.mkdir(parents=True, exist_ok=True)
        self.findings = folder / "findings"
        self.words = {"quern": str(build / "bin" / "quern"), "llama": str(root / "frontend/models/llama.qn"),
                      "mixture": str(root / "frontend/models/qwen3_moe.qn"), "medusa": str(root / "frontend/models/medusa.qn"),
                      "experts": str(root / "test/frontend/agreement/Inputs/experts.qn"), "source": str(root), "target": TARGET,
                      "python": sys.executable, "edit": str(root / "test/fuzz/mutants/edit_ending.py"),
                      "llm": str(folder / "llm"), "classifier": str(folder / "classifier"), "scratch": str(folder / "scratch")}
        shutil.rmtree(folder / "scratch", ignore_errors=True)
        (folder / "scratch").mkdir()
        self.environment = {**os.environ, "XDG_CACHE_HOME": str((cache or folder / "cache").absolute())}

    def compile_models(self):
        if not pathlib.Path(self.words["quern"]).exists():
            sys.exit(f"fuzz: error: `{self.words['quern']}` is missing; run scripts/setup first")
        for name, model, weights in (("llm", self.words["llama"], "test/data/llama-gqa"),
                                     ("classifier", self.root / "docs/examples/stripes.qn", "docs/examples/stripes")):
            command = [self.words["quern"], "compile", model, "--weights", self.root / weights, "--target", TARGET, "-o", self.folder / name]
            if subprocess.run(command, env=self.environment).returncode != 0:
                sys.exit(f"fuzz: error: `{weights}` could not be compiled")


class Tally:
    """Executions and seconds per kind, and the first case of every distinct finding."""

    def __init__(self):
        self.runs, self.commands, self.seconds, self.found, self.repeated = {}, {}, {}, {}, 0

    def count(self, kind, commands, seconds):
        self.runs[kind] = self.runs.get(kind, 0) + 1
        self.commands[kind] = self.commands.get(kind, 0) + commands
        self.seconds[kind] = self.seconds.get(kind, 0) + seconds

    def find(self, kind, finding, folder):
        key = (kind, oracle.shape(finding))
        if key in self.found:
            self.repeated += 1
            return False
        self.found[key] = folder
        return True

    def print(self):
        for kind in self.runs:
            rate = self.runs[kind] / max(self.seconds[kind], 1e-9)
            print(f"{kind:12} {self.runs[kind]:9} cases {self.commands[kind]:9} executions {self.seconds[kind]:9.1f} s {rate:9.1f} cases/s")
        print(f"==> {sum(self.runs.values())} cases, {sum(self.commands.values())} executions, {len(self.found)} distinct findings "
              f"({self.repeated} repetitions)", flush=True)


def run_case(places, kind, seed, number):
    """The case of a number, what it broke or nothing, and how many commands ran."""
    case = KINDS[kind](random.Random(f"{seed}/{kind}/{number}"), places.root)
    try:
        return case, None, oracle.run(case, places.words, places.environment)
    except oracle.Verdict as verdict:
        return case, str(verdict), 1


def work(places, kinds, seed, numbers, until, count, queue):
    """One job: in time, the kind that has had least of it; else `count` cases of every kind."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.setrecursionlimit(50_000)  # arrays nested by the thousand are written as they are
    spent, done = dict.fromkeys(kinds, 0.0), dict.fromkeys(kinds, 0)
    try:
        while count is None and time.monotonic() < until or count is not None and min(done.values()) < count:
            kind = min(kinds, key=lambda kind: (spent[kind] if count is None else done[kind], kinds.index(kind)))
            number = numbers.start + done[kind] * numbers.step
            begin = time.monotonic()
            case, finding, commands = run_case(places, kind, seed, number)
            seconds = time.monotonic() - begin
            spent[kind] += seconds
            done[kind] += 1
            queue.put((kind, number, commands, seconds, finding, case if finding else None))
    except KeyboardInterrupt:
        pass
    finally:
        queue.put(None)


def take(places, tally, seed, item):
    """Counts one case; tells and keeps a new finding."""
    kind, number, commands, seconds, finding, case = item
    tally.count(kind, commands, seconds)
    if not finding:
        return
    digest = hashlib.sha256(oracle.shape(finding).encode()).hexdigest()[:10]
    folder = places.findings / f"{kind}-{digest}"
    if tally.find(kind, finding, folder):
        case.keep(folder, finding)
        print(f"{kind} {seed}/{number}: {finding[:300]}\n  scripts/fuzz --replay {folder}", flush=True)


def run_mutants(places, kinds, options, first, seconds, tally):
    """Runs mutants numbered from `first`; the number after the last one. Raises KeyboardInterrupt when all jobs have ended."""
    queue = multiprocessing.Queue()
    until = time.monotonic() + seconds
    jobs = [multiprocessing.Process(target=work, args=(places, kinds, options.seed, range(first + job, sys.maxsize, options.jobs), until,
                                                       options.count, queue)) for job in range(options.jobs)]
    for job in jobs:
        job.start()
    running, last, interrupted = len(jobs), first, False
    while running:
        try:
            item = queue.get()
        except KeyboardInterrupt:
            interrupted = True
            continue
        if item is None:
            running -= 1
            continue
        last = max(last, item[1] + 1)
        take(places, tally, options.seed, item)
    for job in jobs:
        job.join()
    if interrupted:
        raise KeyboardInterrupt
    if any(job.exitcode for job in jobs):
        sys.exit("fuzz: error: a job failed, see above")
    return last
