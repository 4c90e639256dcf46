"""A binary of the real Inception v3 against ONNX Runtime's probabilities of the same images.

    check_inception.py BINARY FOLDER BOUND [--first]

Each probability is within BOUND. The classes come in the same order; with --first the first one is the same.
"""

import json
import pathlib
import subprocess
import sys


def main():
    binary, folder, bound = sys.argv[1], pathlib.Path(sys.argv[2]), float(sys.argv[3])
    compared = 1 if "--first" in sys.argv[4:] else None
    expected = json.loads((folder / "expected.json").read_text())
    files = [folder / image["file"] for image in expected["images"]]
    found = json.loads(subprocess.run([binary, *files, "--json", "--top", "5"], check=True, text=True,
                                      stdout=subprocess.PIPE).stdout)
    largest = 0.0
    for image, result in zip(expected["images"], found, strict=True):
        probabilities = dict(zip(expected["classes"], image["probabilities"]))
        labels = [guess["label"] for guess in result["top"]]
        if labels[:compared] != image["order"][:compared]:
            sys.exit(f"{image['file']}: found the order {labels}, expected {image['order']}")
        for guess in result["top"]:
            largest = max(largest, abs(guess["probability"] - probabilities[guess["label"]]))
    print(f"{len(found)} images, largest difference {largest:.2e}")
    if largest > bound:
        sys.exit(f"expected at most {bound}")


if __name__ == "__main__":
    main()
