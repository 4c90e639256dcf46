"""Converts the Inception v3 of the npm package nsfwjs into a directory that `quern compile --weights` reads.

    python convert_inception.py PACKAGE.tgz DIRECTORY

The package holds a Keras model in TensorFlow.js's layers format, as JavaScript: `model.min.js` is one object literal, each
`group1-shardNofM.min.js` one base64 string, the next bytes of the weights. Weights are 8-bit: value = q scale + min, in double
precision, rounded to f32. The directory gets `model.safetensors` (f32, torchvision's names and order of axes), `config.json`
and `preprocessor_config.json`. Nothing is fetched and no JavaScript runs.
"""

import base64
import json
import pathlib
import re
import sys
import tarfile

import numpy as np

FOLDER = "package/dist/models/inception_v3/"
# The model file does not name them; the order is that of the package's own code.
LABELS = ["Drawing", "Hentai", "Neutral", "Porn", "Sexy"]

# torchvision's names of the convolutions, in the order in which Keras numbers them.
STEM = ["Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "Conv2d_3b_1x1", "Conv2d_4a_3x3"]
DOUBLE = ["branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"]
BRANCHES = {
    "A": ["branch1x1", "branch5x5_1", "branch5x5_2", *DOUBLE, "branch_pool"],
    "B": ["branch3x3", *DOUBLE],
    "C": ["branch1x1", *(f"branch7x7_{i}" for i in (1, 2, 3)), *(f"branch7x7dbl_{i}" for i in (1, 2, 3, 4, 5)), "branch_pool"],
    "D": ["branch3x3_1", "branch3x3_2", *(f"branch7x7x3_{i}" for i in (1, 2, 3, 4))],
    "E": ["branch1x1", "branch3x3_1", "branch3x3_2a", "branch3x3_2b", *DOUBLE[:2], "branch3x3dbl_3a", "branch3x3dbl_3b",
          "branch_pool"],
}
BLOCKS = {"5b": "A", "5c": "A", "5d": "A", "6a": "B", "6b": "C", "6c": "C", "6d": "C", "6e": "C", "7a": "D", "7b": "E", "7c": "E"}
CONVOLUTIONS = STEM + [f"Mixed_{block}.{branch}" for block, kind in BLOCKS.items() for branch in BRANCHES[kind]]

# Keras' kinds of weights: torchvision's names, and the order of axes.
KINDS = {
    "conv2d/kernel": ("conv.weight", (3, 2, 0, 1)),
    "batch_normalization/beta": ("bn.bias", (0,)),
    "batch_normalization/moving_mean": ("bn.running_mean", (0,)),
    "batch_normalization/moving_variance": ("bn.running_var", (0,)),
    "dense/kernel": ("weight", (1, 0)),
    "dense/bias": ("bias", (0,)),
}

CONFIG = {
    "architectures": ["InceptionV3"],
    "image_size": 299,
    "num_channels": 3,
    "num_labels": len(LABELS),
    "batch_norm_eps": 1e-3,
    "classifier_activation": "softmax",
    "id2label": {str(i): label for i, label in enumerate(LABELS)},
}
PREPROCESSOR = {
    "do_resize": True,
    "size": {"height": 299, "width": 299},
    "resample": 2,
    "align_corners": True,
    "antialias": False,
    "do_center_crop": False,
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": False,
}

TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|!0|!1|-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|\w+|[{}\[\]:,]')


class Literal:
    """Reads one JavaScript literal: JSON, but for keys without quotes, `!0`, `!1` and numbers like `.5`."""

    def __init__(self, text, start):
        self.tokens = TOKEN.finditer(text, start)

    def next(self):
        return next(self.tokens)[0]

    def read(self, token=None):
        token = token or self.next()
        if token == "{":
            return dict(self.members())
        if token == "[":
            return list(self.elements())
        if token[0] == '"':
            return json.loads(token)
        names = {"!0": True, "!1": False, "null": None}
        return names[token] if token in names else float(token) if re.search(r"[.e]", token) else int(token)

    def elements(self):
        while (token := self.next()) != "]":
            if token != ",":
                yield self.read(token)

    def members(self):
        while (token := self.next()) != "}":
            if token != ",":
                key = json.loads(token) if token[0] == '"' else token
                self.next()  # the colon
                yield key, self.read()


def read_module(package, name):
    """What a JavaScript file of the package exports."""
    text = package.extractfile(FOLDER + name).read().decode()
    # The wrapper around it assigns to `module.exports` first.
    return Literal(text, text.rindex(".exports=") + len(".exports=")).read()


def read_weights(package):
    """(Keras name, f32 array) of every weight."""
    manifest = read_module(package, "model.min.js")["weightsManifest"]
    for group in manifest:
        data = b"".join(base64.b64decode(read_module(package, path + ".min.js")) for path in group["paths"])
        offset = 0
        for weight in group["weights"]:
            count = int(np.prod(weight["shape"]))
            stored = np.frombuffer(data, np.uint8, count, offset)
            quantization = weight["quantization"]
            values = stored * np.float64(quantization["scale"]) + quantization["min"]
            yield weight["name"], values.astype(np.float32).reshape(weight["shape"])
            offset += count
        if offset != len(data):
            sys.exit(f"convert_inception: the weights take {offset} bytes, the shards hold {len(data)}")


def rename(name):
    """torchvision's name and the order of axes of a Keras weight such as `conv2d_7/kernel`."""
    layer, number, kind = re.fullmatch(r"(\w+)_(\d+)/(\w+)", name).groups()
    suffix, axes = KINDS[f"{layer}/{kind}"]
    prefix = f"fc{number}" if layer == "dense" else CONVOLUTIONS[int(number) - 1]
    return f"{prefix}.{suffix}", axes


def write_safetensors(path, tensors):
    header, offset = {}, 0
    for name, array in tensors.items():
        header[name] = {"dtype": "F32", "shape": array.shape, "data_offsets": [offset, offset + array.nbytes]}
        offset += array.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for array in tensors.values():
            file.write(array.astype("<f4").tobytes())


def main():
    package, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    with tarfile.open(package) as archive:
        weights = list(read_weights(archive))
    tensors = {}
    for name, array in weights:
        new, axes = rename(name)
        tensors[new] = np.ascontiguousarray(array.transpose(axes))
    folder.mkdir(parents=True, exist_ok=True)
    write_safetensors(folder / "model.safetensors", dict(sorted(tensors.items())))
    for name, value in (("config.json", CONFIG), ("preprocessor_config.json", PREPROCESSOR)):
        (folder / name).write_text(json.dumps(value, indent=2) + "\n")


if __name__ == "__main__":
    main()
