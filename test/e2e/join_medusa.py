"""Writes a base and its Medusa heads as one checkpoint, as a model trained with its heads is stored.

    join_medusa.py BASE HEADS FOLDER
"""

import json
import pathlib
import sys

import safetensors_file


def main():
    base, heads, folder = map(pathlib.Path, sys.argv[1:4])
    tensors = dict(safetensors_file.load(base / "model.safetensors"))
    for name, value in safetensors_file.load(heads / "medusa_lm_head.safetensors").items():
        tensors["medusa_head." + name] = value
    safetensors_file.save(folder / "model.safetensors", tensors)
    config = json.loads((base / "config.json").read_text())
    own = json.loads((heads / "config.json").read_text())
    config |= {key: value for key, value in own.items() if key.startswith("medusa_")}
    (folder / "config.json").write_text(json.dumps(config))


if __name__ == "__main__":
    main()
