"""Inception v3 with ONNX Runtime, OpenVINO and IREE, in images per second.

The weights are those of the npm package that scripts/fetch-inception fetches. The peers get them as an ONNX graph of a fixed
batch with folded batch norms, IREE compiled with the fastest flags that were found. All compute in f32; where the CPU multiplies
bf16, the binary of `--precision bf16` and OpenVINO do so, too. Speeds are of the network alone on one random input, by the median
of `--runs` runs. The JSON also says how far the outputs are apart, and what memory the binaries take.
"""

import pathlib
import statistics
import subprocess

from bench_common import CACHE, QUERN, ROOT, numbers, run_json, say, summarize, take_turns

MODEL = ROOT / "frontend" / "models" / "inception_v3_nsfw.qn"
WEIGHTS = ROOT / ".cache" / "inception_v3"
PEERS = {"f32": {"ONNX Runtime": "onnxruntime", "OpenVINO": "openvino", "IREE": "iree"}, "bf16": {"OpenVINO": "openvino-bf16"}}
PACKAGES = ["onnxruntime", "openvino", "iree-base-compiler"]
# The fastest of ten sets: -O3 alone gives a tenth of it; ukernels in place of channels last are as fast, with both it is slower.
IREE_FLAGS = ["--iree-hal-target-device=local", "--iree-hal-local-target-device-backends=llvm-cpu",
              "--iree-llvmcpu-target-cpu=host", "--iree-opt-level=O3", "--iree-opt-data-tiling",
              "--iree-global-opt-use-im2col-for-convs", "--iree-global-opt-propagate-transposes-through-conv",
              "--iree-preprocessing-pass-pipeline=builtin.module(util.func(iree-preprocessing-convert-conv-to-channels-last))"]


def get_precisions():
    """Those that this CPU multiplies in."""
    return ["f32", "bf16"] if "avx512_bf16" in pathlib.Path("/proc/cpuinfo").read_text() else ["f32"]


def add_options(parser):
    parser.add_argument("--precisions", type=lambda text: text.split(","), default=get_precisions())
    parser.add_argument("--batches", type=numbers, default=[1, 8])
    parser.add_argument("--runs", type=int, default=20, help="of a measurement")


def make(target, sources, command):
    """Runs `command`, which writes `target`, unless that is newer than the sources."""
    if target.exists() and all(target.stat().st_mtime > source.stat().st_mtime for source in sources):
        return
    say(f"making {target.name}")
    subprocess.run([str(word) for word in command], check=True)


class Batch:
    """The files of one size of batch."""

    def __init__(self, python, size):
        self.size = size
        self.onnx, self.mlir, self.iree, self.input = (CACHE / f"inception-{size}{suffix}" for suffix in
                                                       (".onnx", ".mlir", ".vmfb", ".npy"))
        script, tools = ROOT / "scripts" / "bench_onnx.py", python.parent
        make(self.onnx, [WEIGHTS / "model.safetensors", script], [python, script, WEIGHTS, size, self.onnx, self.input])
        make(self.mlir, [self.onnx], [tools / "iree-import-onnx", self.onnx, "-o", self.mlir])
        make(self.iree, [self.mlir, ROOT / "scripts" / "bench_inception.py"],
             [tools / "iree-compile", *IREE_FLAGS, self.mlir, "-o", self.iree])

    def get_output(self, program):
        return CACHE / f"inception-{self.size}-{program}.npy"


def compile_model(precision):
    binary = CACHE / f"inception-{precision}"
    say(f"compiling Inception v3 in {precision}")
    subprocess.run([QUERN, "compile", MODEL, "--weights", WEIGHTS, "--precision", precision, "-o", binary], check=True)
    return binary


def run_quern(binary, batch, options):
    row, = run_json([binary, "--bench", "--json", "--batch", batch.size, "--threads", options.threads, "-r", options.runs])
    return {f"batch {batch.size}": batch.size * 1e9 / statistics.median(row["samples_ns"])}


def run_peer(python, program, batch, options):
    file = batch.iree if program == "iree" else batch.onnx
    return {f"batch {batch.size}": run_json([python, ROOT / "scripts" / "bench_images.py", "time", program, file,
                                            options.threads, options.runs, batch.input, batch.get_output(program)])}


def compare(python, binary, batch, peers):
    """Largest difference of quern's probabilities from each peer's."""
    ours = batch.get_output("quern")
    subprocess.run([binary, "--run", "forward", "--in", f"x={batch.input}", "--out", f"probabilities={ours}"], check=True)
    outputs = {peer: batch.get_output(program) for peer, program in peers.items()}
    found = {peer: path for peer, path in outputs.items() if path.exists()}
    differences = run_json([python, ROOT / "scripts" / "bench_images.py", "compare", ours, *found.values()])
    return dict(zip(found, differences))


def describe_memory(binary, options):
    """In bytes, of a process that runs one image after the other: weights, arena, and all at its peak."""
    info = run_json([binary, "--info"])
    arena, = (program["arena_bytes"] for target in info["targets"] if target["name"] == info["target"]
              for program in target["programs"] if program["when"] == {"n": 1})
    row, = run_json([binary, "--bench", "--json", "--batch", 1, "--threads", options.threads])
    return {"weights": info["sizes"]["weights_bytes"], "arena": arena, "peak": row["peak_memory_bytes"]}


def run(python, options):
    subprocess.run([ROOT / "scripts" / "fetch-inception"], check=True, stdout=subprocess.DEVNULL)
    rows, memory = [], {}
    batches = [Batch(python, size) for size in options.batches]
    for precision in options.precisions:
        binary, peers = compile_model(precision), PEERS[precision]
        for batch in batches:
            programs = {"quern": lambda: run_quern(binary, batch, options)}
            for peer, program in peers.items():
                programs[peer] = lambda program=program: run_peer(python, program, batch, options)
            samples = take_turns(f"{precision}, batch {batch.size}", programs, options.repetitions)
            rows += [{"model": precision, "test": test, **summarize(values),
                      "largest_difference": compare(python, binary, batch, peers)} for test, values in samples.items()]
        memory[precision] = describe_memory(binary, options)
    return {"unit": "images per second", "runs": options.runs, "memory": memory, "peers": list(PEERS["f32"]), "rows": rows}
