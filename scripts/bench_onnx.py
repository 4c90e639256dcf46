"""Writes the network of frontend/models/inception_v3_nsfw.qn as an ONNX graph, and an input, for scripts/bench inception.

    python bench_onnx.py DIRECTORY BATCH FILE.onnx X.npy

DIRECTORY is what scripts/fetch-inception makes; X is random in [0, 1). Batch norms are folded into the convolutions, as exporters do it:
factor = 1 / √(var + eps), weight · factor, bias - mean · factor; in double precision, rounded to f32.
"""

import json
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from convert_inception import BLOCKS, DOUBLE


def read_safetensors(path):
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        tensors[name] = np.frombuffer(data[start + begin:start + end], "<f4").reshape(entry["shape"])
    return tensors


class Graph:
    """Nodes in the order of the network; every method takes and gives names of tensors."""

    def __init__(self, weights, eps):
        self.weights, self.eps = weights, eps
        self.nodes, self.constants = [], []

    def add(self, kind, *inputs, **attributes):
        result = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [result], **attributes))
        return result

    def constant(self, name, array):
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array, np.float32), name))
        return name

    def unit(self, x, name, stride=1, pads=True):
        """Convolution, batch norm, ReLU; `pads` keeps the size where the stride is 1."""
        weight, bias, mean, variance = (self.weights[f"{name}.{part}"].astype(np.float64) for part in
                                        ("conv.weight", "bn.bias", "bn.running_mean", "bn.running_var"))
        factor = 1 / np.sqrt(variance + self.eps)
        pad = [size // 2 if pads and stride == 1 else 0 for size in weight.shape[2:]]
        y = self.add("Conv", x, self.constant(name + ".weight", weight * factor.reshape(-1, 1, 1, 1)),
                     self.constant(name + ".bias", bias - mean * factor), strides=[stride, stride], pads=pad * 2)
        return self.add("Relu", y)

    def chain(self, x, prefix, *names, stride=1):
        """Units one after the other; `stride` is the last one's."""
        for name in names:
            x = self.unit(x, f"{prefix}.{name}", stride if name == names[-1] else 1)
        return x

    def linear(self, x, name):
        weight, bias = (self.constant(f"{name}.{part}", self.weights[f"{name}.{part}"]) for part in ("weight", "bias"))
        return self.add("Gemm", x, weight, bias, transB=1)

    def halve(self, x):
        return self.add("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2])

    def smooth(self, x):
        return self.add("AveragePool", x, kernel_shape=[3, 3], strides=[1, 1], pads=[1] * 4, count_include_pad=0)


def block_a(g, x, p):
    return [g.chain(x, p, "branch1x1"), g.chain(x, p, "branch5x5_1", "branch5x5_2"), g.chain(x, p, *DOUBLE),
            g.chain(g.smooth(x), p, "branch_pool")]


def block_b(g, x, p):
    return [g.chain(x, p, "branch3x3", stride=2), g.chain(x, p, *DOUBLE, stride=2), g.halve(x)]


def block_c(g, x, p):
    return [g.chain(x, p, "branch1x1"), g.chain(x, p, *(f"branch7x7_{i}" for i in (1, 2, 3))),
            g.chain(x, p, *(f"branch7x7dbl_{i}" for i in (1, 2, 3, 4, 5))), g.chain(g.smooth(x), p, "branch_pool")]


def block_d(g, x, p):
    return [g.chain(x, p, "branch3x3_1", "branch3x3_2", stride=2),
            g.chain(x, p, *(f"branch7x7x3_{i}" for i in (1, 2, 3, 4)), stride=2), g.halve(x)]


def block_e(g, x, p):
    b, c = g.chain(x, p, "branch3x3_1"), g.chain(x, p, *DOUBLE[:2])
    return [g.chain(x, p, "branch1x1"), g.chain(b, p, "branch3x3_2a"), g.chain(b, p, "branch3x3_2b"),
            g.chain(c, p, "branch3x3dbl_3a"), g.chain(c, p, "branch3x3dbl_3b"), g.chain(g.smooth(x), p, "branch_pool")]


KINDS = {"A": block_a, "B": block_b, "C": block_c, "D": block_d, "E": block_e}


def build(g, x):
    x = g.unit(x, "Conv2d_1a_3x3", stride=2)
    x = g.unit(x, "Conv2d_2a_3x3", pads=False)
    x = g.halve(g.unit(x, "Conv2d_2b_3x3"))
    x = g.unit(g.unit(x, "Conv2d_3b_1x1"), "Conv2d_4a_3x3", pads=False)
    x = g.halve(x)
    for name, kind in BLOCKS.items():
        x = g.add("Concat", *KINDS[kind](g, x, f"Mixed_{name}"), axis=1)
    x = g.add("Flatten", g.add("GlobalAveragePool", x))
    x = g.add("Relu", g.linear(x, "fc1"))
    x = g.add("Relu", g.linear(x, "fc2"))
    return g.add("Softmax", g.linear(x, "fc3"), axis=1)


def main():
    folder, batch, path, input_path = pathlib.Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
    config = json.loads((folder / "config.json").read_text())
    g = Graph(read_safetensors(folder / "model.safetensors"), config["batch_norm_eps"])
    result = build(g, "x")
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, 3, 299, 299])]
    outputs = [helper.make_tensor_value_info(result, TensorProto.FLOAT, [batch, config["num_labels"]])]
    graph = helper.make_graph(g.nodes, "inception_v3", inputs, outputs, g.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)
    np.save(input_path, np.random.default_rng(1).random((batch, 3, 299, 299), dtype=np.float32))


if __name__ == "__main__":
    main()
