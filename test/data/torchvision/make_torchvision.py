"""Makes the goldens of this folder: torchvision's networks with the weights and images of test/e2e/check_torchvision.py.

    make_torchvision.py

With torch 2.15.0, torchvision 0.29.2, numpy 2.4.6, one thread.
"""

import json
import pathlib
import sys

import torch
import torchvision

HERE = pathlib.Path(__file__).parent
sys.path.append(str(HERE.parents[1] / "e2e"))
import check_torchvision  # noqa: E402

CLASSES = 50
# By file: the network, the size of its images, the modules whose results are summarised.
NETWORKS = {
    "inception_v1": (torchvision.models.GoogLeNet, 224, "inception"),
    "inception_v3": (torchvision.models.Inception3, 299, "Mixed_"),
}


def load(network, golden, transform):
    instance = network(num_classes=CLASSES, aux_logits=True, transform_input=transform, init_weights=False)
    golden["tensors"] = {name: list(tensor.shape) for name, tensor in instance.state_dict().items()}
    weights = check_torchvision.make_weights(golden)
    instance.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()})
    return instance.eval()


def summarise(blocks, name):
    def hook(_, __, result):
        blocks[name] = {"shape": list(result.shape), "mean": result.mean().item(), "std": result.std(correction=0).item()}
    return hook


@torch.no_grad()
def make_golden(network, size, prefix):
    golden = {"config": {"num_classes": CLASSES}, "images": [2, 3, size, size]}
    images = torch.from_numpy(check_torchvision.make_images(golden))
    golden["transformed"] = load(network, golden, True)(images).tolist()
    instance, blocks = load(network, golden, False), {}
    for name, module in instance.named_children():
        if name.startswith(prefix):
            module.register_forward_hook(summarise(blocks, name))
    golden["logits"] = instance(images).tolist()
    golden["blocks"] = blocks
    return golden


def write(path, golden):
    """One line per entry, and per tensor or block."""
    lines = []
    for key, value in golden.items():
        if key in ("tensors", "blocks"):
            inner = ",\n  ".join(f"{json.dumps(name)}: {json.dumps(entry)}" for name, entry in value.items())
            lines.append(f"{json.dumps(key)}: {{\n  {inner}}}")
        else:
            lines.append(f"{json.dumps(key)}: {json.dumps(value)}")
    path.write_text("{" + ",\n ".join(lines) + "}\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    for file, arguments in NETWORKS.items():
        write(HERE / f"{file}.json", make_golden(*arguments))
