"""Single convolutions and products in f32 beside two tuners: TVM's MetaSchedule and Halide's Adams2019. In runs per second.

Each tuner gets the same time, `--minutes`; where there are several, the longest search is kept as it stood after each. Weights are warm in
all programs: what is compared are schedules of one kernel alone. Convolutions are of images [1, height, width, channels] in all of them;
Quern computes those of 3 × 3 by Winograd's products where its cost model finds that faster, the others do not know that.
"""

import json
import os
import pathlib
import shutil
import signal
import statistics
import struct
import subprocess
import tempfile
import time

from bench_common import QUERN, ROOT, prepare_peers, run_json, say, summarize, take_turns

# Height, width, channels, filters, rows and columns of a filter; or rows, elements of a row, outputs.
CASES = {"conv-56-64-64-3x3": (56, 56, 64, 64, 3), "conv-35-64-96-3x3": (35, 35, 64, 96, 3), "conv-17-768-192-1x1": (17, 17, 768, 192, 1),
         "product-512-2048-2048": (512, 2048, 2048), "product-128-576-1536": (128, 576, 1536), "product-1-2048-8192": (1, 2048, 8192)}
PACKAGES = ["apache-tvm"]
TVM_REQUIREMENTS = ROOT / "scripts" / "bench-tvm-requirements.txt"
TVM_VENV = ROOT / ".venv-bench-tvm"


def add_options(parser):
    parser.add_argument("--cases", type=lambda text: text.split(","), default=list(CASES), help=", ".join(CASES))
    parser.add_argument("--minutes", type=lambda text: [float(word) for word in text.split(",")], default=[1, 5, 10])
    parser.add_argument("--peers", type=lambda text: text.split(","), default=["tvm", "adams2019"])


def write_model(case, folder):
    """A model of one kernel, and weights for it."""
    if len(case) == 5:
        height, width, inputs, outputs, kernel = case
        name, shape = "conv.weight", (outputs, inputs, kernel, kernel)
        text = f"""import "std/vision.qn"

module Net {{
  conv : Conv2d({inputs}, {outputs}, ({kernel}, {kernel}), pad: ({kernel // 2}, {kernel // 2}), bias: false)

  entry forward(x: f32[1, {height}, {width}, {inputs}]) -> f32[1, {height}, {width}, {outputs}] {{
    return transpose(conv(transpose(x, [0, 3, 1, 2])), [0, 2, 3, 1])
  }}
}}
"""
    else:
        rows, inputs, outputs = case
        name, shape = "proj.weight", (outputs, inputs)
        text = f"""import "std/transformer.qn"

module Net {{
  proj : Linear({inputs}, {outputs})

  entry forward(x: f32[{rows}, {inputs}]) -> f32[{rows}, {outputs}] {{ return proj(x) }}
}}
"""
    (folder / "net.qn").write_text(text)
    count = 1
    for size in shape:
        count *= size
    header = json.dumps({name: {"dtype": "F32", "shape": shape, "data_offsets": [0, 4 * count]}}).encode()
    numbers = struct.pack("<251f", *(((i * 7919) % 251 - 125) / 1000 for i in range(251)))
    with open(folder / "net.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(header)) + header + (numbers * (count // 251 + 1))[:4 * count])


def compile_quern(folder, name, *more):
    model = [folder / "net.qn", "--weights", folder / "net.safetensors"]
    subprocess.run([QUERN, "compile", *model, *more, "-o", folder / name], check=True)
    return folder / name


def time_quern(binary, options):
    samples = run_json([binary, "--bench", "--entry", "forward", "--json", "-r", 300, "--threads", options.threads])[0]["samples_ns"]
    return statistics.median(samples) * 1e-6


def run_for(command, seconds, environment):
    """Runs a program that knows no end, and ends it and what it started."""
    process = subprocess.Popen(list(map(str, command)), env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               start_new_session=True)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        pass
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def tune_tvm(python, case, folder, options):
    """What TVM's search has recorded after each of the times; it goes on where it was."""
    environment = os.environ | {"TVM_NUM_THREADS": str(options.threads)}
    work, spent, states = folder / "tvm", 0, {}
    for minutes in sorted(options.minutes):
        run_for([python, ROOT / "scripts" / "bench_tvm.py", "tune", json.dumps(case), work, options.threads], minutes * 60 - spent, environment)
        spent = minutes * 60
        states[minutes] = folder / f"tvm-{minutes:g}"
        shutil.copytree(work, states[minutes])
    return states


def run_peer(python, script, arguments, options):
    environment = os.environ | {"TVM_NUM_THREADS": str(options.threads), "HL_NUM_THREADS": str(options.threads)}
    command = [python, ROOT / "scripts" / script, *arguments, options.threads]
    return json.loads(subprocess.run(list(map(str, command)), check=True, env=environment, stdout=subprocess.PIPE).stdout)


def run_case(name, folder, pythons, options):
    case = CASES[name]
    write_model(case, folder)
    quern = {"quern": compile_quern(folder, "default")}
    for minutes in options.minutes:
        say(f"{name}: tuning Quern for {minutes:g} min")
        database = folder / f"tuned-{minutes:g}.json"
        subprocess.run([QUERN, "tune", folder / "net.qn", "--weights", folder / "net.safetensors", "--threads", str(options.threads), "--time",
                        f"{round(minutes * 60)}s", "-o", database], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        quern[f"quern tuned {minutes:g}"] = compile_quern(folder, f"tuned-{minutes:g}", "--tuned", database)
    programs = {key: lambda binary=binary: {name: time_quern(binary, options)} for key, binary in quern.items()}
    if "tvm" in options.peers:
        say(f"{name}: tuning TVM")
        for minutes, work in tune_tvm(pythons["tvm"], case, folder, options).items():
            programs[f"tvm {minutes:g}"] = lambda work=work: {
                name: run_peer(pythons["tvm"], "bench_tvm.py", ["time", json.dumps(case), work], options)}
    if "adams2019" in options.peers:
        programs["adams2019"] = lambda: {name: run_peer(pythons["halide"], "bench_halide.py", [json.dumps(case)], options)}
    samples = take_turns(name, programs, options.repetitions)[name]
    return {"model": name, "test": "f32", **summarize({key: [1000 / value for value in values] for key, values in samples.items()}),
            "milliseconds": {key: statistics.median(values) for key, values in samples.items()}}


def run(python, options):
    pythons = {"halide": ROOT / ".venv" / "bin" / "python"}
    if "tvm" in options.peers:
        pythons["tvm"] = prepare_peers(TVM_VENV, TVM_REQUIREMENTS)
    rows = []
    for name in options.cases:
        with tempfile.TemporaryDirectory() as folder:
            begin = time.monotonic()
            rows.append(run_case(name, pathlib.Path(folder), pythons, options))
            say(f"{name}: {rows[-1]['milliseconds']} ms, {time.monotonic() - begin:.0f} s")
    peers = [key for key in rows[0]["milliseconds"] if key != "quern"]
    return {"unit": "runs per second", "minutes": options.minutes, "peers": peers, "rows": rows}
