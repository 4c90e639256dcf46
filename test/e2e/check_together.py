"""Checks that sequences that are continued together choose as often as each alone: `check_together.py BINARY`."""

import json
import pathlib
import subprocess
import sys
import tempfile

PROMPTS = ["Q", "#%=", "Zx@"]
NEW = 5


def profile(binary, *options):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "profile.json")
        subprocess.run([binary, "-n", str(NEW), "--greedy", "--ignore-eos", "--routing-profile", path, *options], check=True,
                       stdout=subprocess.DEVNULL)
        return json.loads(path.read_text())["layers"]


def main():
    binary = sys.argv[1]
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(PROMPTS))
        file.flush()
        together = profile(binary, "--prompts", file.name, "--parallel", str(len(PROMPTS)))
    alone = [profile(binary, prompt) for prompt in PROMPTS]
    tokens = [len(json.loads(subprocess.run([binary, "--tokenize", prompt], check=True, stdout=subprocess.PIPE).stdout))
              for prompt in PROMPTS]
    for number, layer in enumerate(together):
        for key in ("rows", "counts"):
            each = [layers[number][key] for layers in alone]
            wanted = sum(each) if key == "rows" else [sum(counts) for counts in zip(*each)]
            assert layer[key] == wanted, (layer, each)
    # The last new token is not fed. Of a prompt only the row whose logits are wanted goes through the last layer's experts.
    fed = len(PROMPTS) * (NEW - 1)
    *before, last = together
    assert all(layer["rows"] == sum(tokens) + fed for layer in before), (together, tokens)
    assert last["rows"] == len(PROMPTS) + fed, (last, tokens)


if __name__ == "__main__":
    main()
