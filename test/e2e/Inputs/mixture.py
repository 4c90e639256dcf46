"""Writes a mixture of experts again with one thing changed: mixture.py FROM TO CHANGE...

FROM is a Hugging Face directory or a GGUF file. CHANGE: KEY=VALUE (of the configuration or the metadata, VALUE in JSON, a name in front of
`.expert_count` and its likes), drop:NAME (a tensor goes), cut:NAME (its last row goes; of a stack its last matrix), narrow:NAME (it is
stored as F16), scales:NAME (it is stored as FP8, all 1, with one row of scales more than its blocks have).
"""

import json
import pathlib
import shutil
import sys

import numpy

sys.path += [str(pathlib.Path(__file__).resolve().parents[1]), str(pathlib.Path(__file__).resolve().parents[2] / "fuzz" / "mutants")]
import gguf_file
import safetensors_file


def change_folder(source, target, changes):
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    config = json.loads((source / "config.json").read_text())
    tensors, dtypes = safetensors_file.load(source / "model.safetensors"), {}
    for change in changes:
        what, _, name = change.partition(":")
        if what == "drop":
            del tensors[name]
        elif what == "cut":
            tensors[name] = tensors[name][:-1]
        elif what == "narrow":
            tensors[name] = tensors[name].astype(numpy.float16)
        elif what == "scales":
            rows, columns = (-(-size // 128) for size in tensors[name].shape)
            tensors[name + "_scale_inv"] = numpy.ones((rows + 1, columns), numpy.float32)
            tensors[name], dtypes[name] = numpy.full(tensors[name].shape, 0x38, numpy.uint8), "F8_E4M3"
            config["quantization_config"] = {"quant_method": "fp8", "weight_block_size": [128, 128]}
        else:
            key, _, value = change.partition("=")
            config[key] = json.loads(value)
    (target / "config.json").write_text(json.dumps(config))
    safetensors_file.save(target / "model.safetensors", tensors, dtypes)


def change_gguf(source, target, changes):
    file = gguf_file.parse(source.read_bytes())
    for change in changes:
        what, _, name = change.partition(":")
        tensor = next((tensor for tensor in file.tensors if tensor.name == name.encode()), None)
        if what == "drop":
            file.tensors.remove(tensor)
        elif what == "cut":
            tensor.data = tensor.data[:len(tensor.data) // tensor.sizes[-1] * (tensor.sizes[-1] - 1)]
            tensor.sizes[-1] -= 1
        else:
            key, _, value = change.partition("=")
            next(entry for entry in file.keys if entry.name == key.encode()).value = json.loads(value)
    gguf_file.lay_out(file)
    target.write_bytes(gguf_file.write(file))


def main():
    source, target, *changes = sys.argv[1:]
    (change_folder if pathlib.Path(source).is_dir() else change_gguf)(pathlib.Path(source), pathlib.Path(target), changes)


main()
