"""What the suites of scripts/bench share: the peers' environment, taking turns, tables, files."""

import json
import os
import pathlib
import platform
import re
import shlex
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "bench"
VENV = ROOT / ".venv-bench"
REQUIREMENTS = ROOT / "scripts" / "bench-requirements.txt"
QUERN = ROOT / "build" / "release" / "bin" / "quern"


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def numbers(text):
    """The integers of an option such as `1,8`."""
    return [int(word) for word in text.split(",")]


def count_cpus():
    return len(os.sched_getaffinity(0))


def prepare_peers(folder=VENV, requirements=REQUIREMENTS):
    """The interpreter of a virtual environment with the pinned peers, which is brought up to date when they change."""
    python, stamp = folder / "bin" / "python", folder / "stamp"
    if stamp.exists() and stamp.read_text() == requirements.read_text():
        return python
    hint = " (llama.cpp is compiled for this machine: minutes)" if folder == VENV else ""
    say(f"installing what {requirements.name} lists{hint}")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", requirements], check=True)
    stamp.write_text(requirements.read_text())
    return python


def run_json(command, quiet=False):
    """What a program prints, as JSON."""
    stderr = subprocess.DEVNULL if quiet else None
    return json.loads(subprocess.run([str(word) for word in command], check=True, text=True, stdout=subprocess.PIPE,
                                     stderr=stderr).stdout)


def take_turns(label, programs, repetitions):
    """Samples per test and program: {test: {program: [value per repetition]}}. `programs` maps names to functions that run
    all tests once: {test: value}. A peer that cannot run the model is left out."""
    programs = dict(programs)
    samples = {}
    for repetition in range(repetitions):
        say(f"{label}: repetition {repetition + 1} of {repetitions}")
        names = list(programs)
        first = repetition % len(names)
        for name in names[first:] + names[:first]:
            try:
                values = programs[name]()
            except subprocess.CalledProcessError as error:
                if name == "quern" or repetition:
                    raise
                say(f"{label}: {name} does not run it ({error})")
                del programs[name]
                continue
            for test, value in values.items():
                samples.setdefault(test, {}).setdefault(name, []).append(value)
    return samples


def summarize(samples):
    """Medians of the programs, and for each peer how many times as fast quern is: median, min, max over repetitions."""
    ratios = {}
    for peer in samples:
        if peer != "quern":
            each = [ours / theirs for ours, theirs in zip(samples["quern"], samples[peer])]
            ratios[peer] = {"median": statistics.median(each), "min": min(each), "max": max(each)}
    return {"samples": samples, "medians": {name: statistics.median(values) for name, values in samples.items()},
            "ratios": ratios}


def describe_cpu():
    fields = {}
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        fields.setdefault(name.strip(), value.strip())
    if "model name" not in fields:
        return platform.processor()
    return f"{fields['model name']} (family {fields.get('cpu family')}, model {fields.get('model')})"


def describe_versions(packages):
    pinned = "".join(path.read_text() for path in sorted(REQUIREMENTS.parent.glob("bench-*requirements.txt")))
    versions = dict(re.findall(rf"^({'|'.join(packages)})==(\S+)", pinned, re.MULTILINE))
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, text=True, capture_output=True)
    return {"quern": commit.stdout.strip() or "unknown", **versions}


def format_table(rows, peers):
    """One line per row: medians, then each peer's ratio with its spread."""
    lines = ["| model | test | Quern | " + " | ".join(f"{peer} | ratio" for peer in peers) + " |",
             "|---|---|---|" + "---|---|" * len(peers)]
    for row in rows:
        cells = [row["model"], row["test"], f"{row['medians']['quern']:.1f}"]
        for peer in peers:
            ratio = row["ratios"].get(peer)
            cells += [f"{row['medians'][peer]:.1f}" if ratio else "–",
                      f"{ratio['median']:.2f} ({ratio['min']:.2f}–{ratio['max']:.2f})" if ratio else "–"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def finish(python, result, packages, options):
    """Writes the JSON and the plot, prints the table. `packages` are the peers' whose versions are told."""
    result = {"command": shlex.join(["scripts/bench", *sys.argv[1:]]), "cpu": describe_cpu(),
              "threads": options.threads, "repetitions": options.repetitions, "versions": describe_versions(packages),
              **result}
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(result, indent=2) + "\n")
    plot = options.output.with_suffix(".svg")
    subprocess.run([python, ROOT / "scripts" / "bench_plot.py", options.output, plot], check=True)
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    print(f"{result['cpu']}, {options.threads} threads, {options.repetitions} repetitions, {result['unit']}; {versions}")
    print(format_table(result["rows"], result["peers"]))
    say(f"wrote {options.output} and {plot}")
