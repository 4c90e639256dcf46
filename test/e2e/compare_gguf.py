"""Says how two GGUF files differ, but for the order of keys and tensors, the file's type, and the ids of special tokens:

    compare_gguf.py FOUND EXPECTED
"""

import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "fuzz" / "mutants"))
import gguf_file

OF_FILES = (b"general.name", b"general.file_type", b"tokenizer.ggml.bos_token_id", b"tokenizer.ggml.eos_token_id")


def read(path):
    file = gguf_file.parse(pathlib.Path(path).read_bytes())
    keys = {key.name: (key.type, key.value) for key in file.keys if key.name not in OF_FILES}
    sizes = {tensor.name: (tensor.type, tensor.sizes) for tensor in file.tensors}
    # Behind a tensor there may be bytes up to the next one.
    data = {tensor.name: tensor.data.rstrip(b"\0") for tensor in file.tensors}
    return keys, sizes, data


def main():
    failures = 0
    for kind, found, expected in zip(("key", "tensor", "data of tensor"), *map(read, sys.argv[1:])):
        for name in sorted(found.keys() | expected.keys()):
            if found.get(name) != expected.get(name):
                failures += 1
                print(f"{kind} {name.decode()}: " + ("they differ" if kind.startswith("data") else
                                                     f"found {found.get(name)}, expected {expected.get(name)}"))
    sys.exit(failures > 0)


main()
