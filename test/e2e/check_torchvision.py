"""A compiled network with random weights against torchvision's.

    check_torchvision.py weights GOLDEN FOLDER              write the weights and the configuration of the golden
    check_torchvision.py check GOLDEN BINARY KEY BOUND      compare with the golden's logits KEY, relative to the largest

The golden (test/data/README.md) names the tensors; their values follow from the names alone, so that nothing has to store them.
"""

import json
import pathlib
import sys
import zlib

import numpy

import model
import safetensors_file


def random_of(name):
    return numpy.random.RandomState(zlib.crc32(name.encode()))


def make_tensor(name, shape):
    """Values that keep activations near 1: filters by their fan-in, the statistics and scales of norms around 1."""
    random, kind = random_of(name), name.rpartition(".")[2]
    if kind == "num_batches_tracked":
        return numpy.zeros(shape, numpy.int64)
    if kind == "running_var" or name.endswith("bn.weight"):
        values = random.uniform(0.5, 1.5, shape)
    elif kind == "weight":
        values = random.normal(0, (2 / numpy.prod(shape[1:])) ** 0.5, shape)
    else:
        values = random.normal(0, 0.2, shape)
    return values.astype(numpy.float32)


def make_weights(golden):
    return {name: make_tensor(name, shape) for name, shape in golden["tensors"].items()}


def make_images(golden):
    """Noise, of image i of deviation i + 1."""
    deviations = numpy.arange(1, golden["images"][0] + 1).reshape(-1, 1, 1, 1)
    return (random_of("images").normal(0, 1, golden["images"]) * deviations).astype(numpy.float32)


def write_weights(golden, folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(golden["config"]))
    safetensors_file.save(folder / "model.safetensors", make_weights(golden))


def check(golden, binary, key, bound):
    images, expected = make_images(golden), numpy.asarray(golden[key])
    for batch in (len(images), 1):
        error = numpy.abs(model.logits_of_images(binary, images[:batch]) - expected[:batch]).max() / numpy.abs(expected).max()
        print(f"batch {batch}: an error of {error:.1e}")
        if not error <= float(bound):
            sys.exit(f"batch {batch}: found an error of {error}, expected at most {bound}")


if __name__ == "__main__":
    action, path, *arguments = sys.argv[1:]
    {"weights": write_weights, "check": check}[action](json.loads(pathlib.Path(path).read_text()), *arguments)
