"""Writes stripes/, the weights of stripes.qn and what else a checkpoint's directory says.

Nothing is trained: the filters are differences of neighbours, upwards and downwards, to the left and to the right.
"""

import json
import pathlib

import numpy as np

DIFFERENCE = [-1, 0, 1], [1, 0, -1]
WEIGHTS = {
    "down.conv.weight": np.reshape(DIFFERENCE, (2, 1, 3, 1)),
    "across.conv.weight": np.reshape(DIFFERENCE, (2, 1, 1, 3)),
    **{f"{branch}.norm.{name}": np.full(2, value) for branch in ("down", "across")
       for name, value in (("weight", 2.0), ("bias", 0.0), ("running_mean", 0.05), ("running_var", 1.0))},
    # Rows have edges downwards, columns edges across; where there are few of both, the image is plain.
    "fc.weight": np.array([[9, 9, -9, -9], [-9, -9, 9, 9], [-9, -9, -9, -9]]),
    "fc.bias": np.array([0, 0, 4]),
}
CONFIG = {"id2label": {"0": "rows", "1": "columns", "2": "plain"}}
PREPROCESSOR = {"do_resize": True, "size": {"height": 32, "width": 32}, "resample": 2, "do_rescale": True,
                "rescale_factor": 1 / 255}


def write_safetensors(path, tensors):
    header, data = {}, b""
    for name, array in tensors.items():
        raw = array.astype("<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": array.shape, "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


def main():
    weights = pathlib.Path(__file__).with_name("stripes")
    weights.mkdir(exist_ok=True)
    write_safetensors(weights / "model.safetensors", WEIGHTS)
    (weights / "config.json").write_text(json.dumps(CONFIG, indent=2) + "\n")
    (weights / "preprocessor_config.json").write_text(json.dumps(PREPROCESSOR, indent=2) + "\n")


if __name__ == "__main__":
    main()
