"""The TVM side of `scripts/bench kernels`.

    python bench_tvm.py tune CASE FOLDER THREADS    searches with MetaSchedule until it is ended; FOLDER keeps what it found
    python bench_tvm.py time CASE FOLDER THREADS    prints what the best of it takes, in milliseconds

CASE is a JSON list: height, width, inputs, outputs, kernel of a convolution, or rows, inputs, outputs of a product.
"""

import json
import pathlib
import sys

import numpy
import tvm
from tvm import te
from tvm.s_tir import meta_schedule


def describe(case):
    if len(case) == 5:
        height, width, inputs, outputs, kernel = case
        pad = kernel // 2
        image = te.placeholder((1, height, width, inputs), name="image")
        weight = te.placeholder((kernel, kernel, inputs, outputs), name="weight")
        padded = te.compute((1, height + 2 * pad, width + 2 * pad, inputs), lambda n, y, x, c: te.if_then_else(
            te.all(y >= pad, y < height + pad, x >= pad, x < width + pad), image[n, y - pad, x - pad, c], 0.0), name="padded")
        rows, columns, channels = (te.reduce_axis((0, size)) for size in (kernel, kernel, inputs))
        result = te.compute((1, height, width, outputs), lambda n, y, x, o: te.sum(
            padded[n, y + rows, x + columns, channels] * weight[rows, columns, channels, o], axis=[rows, columns, channels]), name="result")
        return [image, weight, result]
    rows, inputs, outputs = case
    left = te.placeholder((rows, inputs), name="left")
    weight = te.placeholder((inputs, outputs), name="weight")
    depth = te.reduce_axis((0, inputs))
    result = te.compute((rows, outputs), lambda m, o: te.sum(left[m, depth] * weight[depth, o], axis=depth), name="result")
    return [left, weight, result]


def main():
    command, case, folder, threads = sys.argv[1], json.loads(sys.argv[2]), pathlib.Path(sys.argv[3]), int(sys.argv[4])
    tensors = describe(case)
    module = tvm.IRModule({"main": te.create_prim_func(tensors)})
    target = tvm.target.Target({"kind": "llvm", "mcpu": tvm.target.codegen.llvm_get_system_cpu(), "num-cores": threads})
    files = [str(folder / name) for name in ("database_workload.json", "database_tuning_record.json")]
    if command == "tune":
        folder.mkdir(exist_ok=True)
        database = meta_schedule.database.JSONDatabase(*files)
        meta_schedule.tune_tir(module, target, str(folder), max_trials_global=1 << 20, num_trials_per_iter=16, database=database)
        return
    database = meta_schedule.database.JSONDatabase(*files)
    schedule = meta_schedule.tir_integration.compile_tir(database, module, target)
    if schedule is None:
        sys.exit("TVM found no schedule in that time")
    library = tvm.compile(schedule.mod, target=target)
    random = numpy.random.default_rng(1)
    arrays = [tvm.runtime.tensor(random.standard_normal([int(size) for size in tensor.shape]).astype("float32")) for tensor in tensors]
    timing = library.jit().time_evaluator("main", tvm.cpu(), number=5, repeat=60, min_repeat_ms=5)(*arrays)
    print(json.dumps(float(numpy.median(timing.results)) * 1e3))


if __name__ == "__main__":
    main()
