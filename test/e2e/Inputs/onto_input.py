"""Names inputs of a compilation as its output, by every name that they have: refused, and no input is changed.

    onto_input.py FOLDER MODEL WEIGHTS

FOLDER is filled with copies of the model and its weights, beside a configuration, an import and a database of schedules.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

TARGET = "x86-64-v3"


def fill(folder, model, weights):
    shutil.rmtree(folder, ignore_errors=True)
    checkpoint = folder / "checkpoint"
    checkpoint.mkdir(parents=True)
    (folder / "own.qn").write_text("")
    (folder / "model.qn").write_text('import "own.qn"\n' + Path(model).read_text())
    (folder / "config.json").write_text("{}")
    (folder / "tuned.json").write_text('{"format": "quern-schedules-2", "versions": {"quern": "0", "llvm": "0", "halide": "0"}, '
                                        '"machine": [], "rows": []}')
    shutil.copyfile(weights, checkpoint / "model.safetensors")
    for name in "config.json", "tokenizer.json", "generation_config.json":
        (checkpoint / name).write_text("{}")
    os.link(checkpoint / "model.safetensors", folder / "hard")
    (folder / "soft").symlink_to("checkpoint/config.json")
    dumps = folder / "dumps"
    dumps.mkdir()
    os.link(folder / "model.qn", dumps / f"{TARGET}-fused.mlir")


def contents(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def compile(folder, *arguments, under=()):
    command = ["quern", "compile", str(folder / "model.qn"), "--weights", str(folder / "checkpoint"), "--config",
               str(folder / "config.json"), "--tuned", str(folder / "tuned.json"), "--target", TARGET]
    return subprocess.run([*under, *command, *arguments], capture_output=True, text=True, timeout=120)


def refuse(folder, *arguments, **options):
    result = compile(folder, *arguments, **options)
    if result.returncode != 1 or "it is an input of this command, `" not in result.stderr:
        sys.exit(f"{arguments}: status {result.returncode}, {result.stderr}")


def main(folder, model, weights):
    folder = Path(folder)
    fill(folder, model, weights)
    before = contents(folder)
    names = ["model.qn", "own.qn", "config.json", "tuned.json", "hard", "soft", "checkpoint/model.safetensors",
             "checkpoint/config.json", "checkpoint/tokenizer.json", "checkpoint/generation_config.json",
             "dumps/../checkpoint/../model.qn"]
    for name in names:
        refuse(folder, "-o", str(folder / name))
    # What has been read, or is not read at all.
    for name in "model.qn", "checkpoint/tokenizer.json":
        refuse(folder, "--emit", "graph", "-o", str(folder / name))
    refuse(folder, "--emit", "graph", "--dump-dir", str(folder / "dumps"))
    (folder / "dumps" / f"{TARGET}-graph.mlir").unlink()
    mount = ["unshare", "-rm", "sh", "-c", f'mount --bind "{folder}/checkpoint" "{folder}/dumps" && exec "$@"', "sh"]
    if subprocess.run([*mount, "true"], capture_output=True).returncode == 0:
        refuse(folder, "-o", str(folder / "dumps" / "model.safetensors"), under=mount)
    if contents(folder) != before:
        sys.exit(f"changed: {set(contents(folder).items()) ^ set(before.items())}")
    result = compile(folder, "--emit", "graph", "-o", str(folder / "graph.mlir"))
    if result.returncode != 0 or not (folder / "graph.mlir").stat().st_size:
        sys.exit(f"another name: {result}")


main(*sys.argv[1:])
