"""The Halide side of `scripts/bench kernels`: one kernel scheduled by the autoscheduler Adams2019.

    python bench_halide.py CASE THREADS    prints what it takes, in milliseconds

CASE is a JSON list: height, width, inputs, outputs, kernel of a convolution, or rows, inputs, outputs of a product.
"""

import json
import pathlib
import statistics
import sys
import time

import halide as hl
import numpy


def describe(case):
    """A function of the result, its extents, and what it reads, whose memory is NumPy's and has to stay."""
    random = numpy.random.default_rng(1)
    c, x, y, n = hl.Var("c"), hl.Var("x"), hl.Var("y"), hl.Var("n")
    result = hl.Func("result")
    if len(case) == 5:
        height, width, inputs, outputs, kernel = case
        # The image has its zeros around it.
        arrays = [random.standard_normal((1, height + kernel - 1, width + kernel - 1, inputs)),
                  random.standard_normal((kernel, kernel, inputs, outputs))]
        arrays = [array.astype(numpy.float32) for array in arrays]
        buffers = [hl.Buffer(array) for array in arrays]
        depth = hl.RDom([(0, inputs), (0, kernel), (0, kernel)])
        result[c, x, y, n] = 0.0
        result[c, x, y, n] += buffers[0][depth.x, x + depth.y, y + depth.z, n] * buffers[1][c, depth.x, depth.y, depth.z]
        return result, [outputs, width, height, 1], (arrays, buffers)
    rows, inputs, outputs = case
    arrays = [random.standard_normal((rows, inputs)), random.standard_normal((inputs, outputs))]
    arrays = [array.astype(numpy.float32) for array in arrays]
    buffers = [hl.Buffer(array) for array in arrays]
    depth = hl.RDom([(0, inputs)])
    result[c, x] = 0.0
    result[c, x] += buffers[0][depth.x, x] * buffers[1][c, depth.x]
    return result, [outputs, rows], (arrays, buffers)


def main():
    case, threads = json.loads(sys.argv[1]), int(sys.argv[2])
    plugin = next(pathlib.Path(hl.__file__).parent.rglob("libautoschedule_adams2019.so"))
    hl.load_plugin(str(plugin))
    result, extents, read = describe(case)
    for var, extent in zip(result.args(), extents):
        result.set_estimate(var, 0, extent)
    pipeline = hl.Pipeline(result)
    target = hl.get_host_target()
    pipeline.apply_autoscheduler(target, hl.AutoschedulerParams("Adams2019", {"parallelism": str(threads)}))
    pipeline.compile_jit(target)
    output = hl.Buffer(hl.Float(32), extents)
    samples = []
    for _ in range(100):
        begin = time.perf_counter()
        pipeline.realize(output, target)
        samples.append(time.perf_counter() - begin)
    del read
    print(json.dumps(statistics.median(samples[10:]) * 1e3))


if __name__ == "__main__":
    main()
