"""The peers' side of scripts/bench inception: times a network, in images per second.

    python bench_images.py time PROGRAM FILE THREADS RUNS X.npy Y.npy
    python bench_images.py compare Y.npy ...

PROGRAM is `onnxruntime`, `openvino` or `openvino-bf16` with an ONNX file, or `iree` with a module of iree-compile. X is the input, f32[n, 3,
height, width]; Y gets the output. `time` prints one number: n divided by the median time of RUNS runs after a warm-up; a program
that needs more than LIMIT seconds for them runs less often. `compare` prints, for each of the arrays, its largest difference
from the first one.
"""

import functools
import json
import statistics
import sys
import time

import numpy as np

# Seconds after which neither the warm-up nor the measurement begins another run.
LIMIT = 3


def open_onnxruntime(path, threads):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda x: session.run(None, {name: x})[0]


def open_openvino(precision, path, threads):
    import openvino

    # Without the hint it would choose bf16 where the CPU has it.
    model = openvino.Core().compile_model(path, "CPU", {
        "INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": precision})
    request = model.create_infer_request()
    return lambda x: request.infer([x], share_inputs=True, share_outputs=True)[0]


def open_iree(path, threads):
    import iree.runtime

    iree.runtime.flags.parse_flags(f"--task_topology_group_count={threads}")
    config = iree.runtime.Config("local-task")
    module = iree.runtime.load_vm_module(iree.runtime.VmModule.mmap(config.vm_instance, path), config)
    return lambda x: module.inception_v3(x).to_host()


PROGRAMS = {"onnxruntime": open_onnxruntime, "openvino": functools.partial(open_openvino, "f32"),
            "openvino-bf16": functools.partial(open_openvino, "bf16"), "iree": open_iree}


def time_runs(run, x, count):
    """Seconds of each run."""
    times = []
    while len(times) < count and sum(times) < LIMIT:
        begin = time.perf_counter()
        run(x)
        times.append(time.perf_counter() - begin)
    return times


def time_program(program, path, threads, runs, source, target):
    x = np.load(source)
    run = PROGRAMS[program](path, int(threads))
    np.save(target, run(x))
    time_runs(run, x, int(runs))
    return len(x) / statistics.median(time_runs(run, x, int(runs)))


def compare(first, *others):
    expected = np.load(first)
    return [float(np.abs(np.load(path) - expected).max()) for path in others]


def main():
    print(json.dumps({"time": time_program, "compare": compare}[sys.argv[1]](*sys.argv[2:])))


if __name__ == "__main__":
    main()
