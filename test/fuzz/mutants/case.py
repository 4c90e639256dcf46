"""A case of the mutants: input files and the commands that get them, kept in a folder from which it can be run again."""

import dataclasses
import json
import pathlib


@dataclasses.dataclass
class Step:
    """One command. Words may hold `{in}` and `{out}` (the case's folders) and the names of `Session.places`."""

    words: list
    """Standard input, as text of one byte per character."""
    stdin: str = ""
    """The files, relative to `{out}`, that it makes when its status is 0."""
    makes: list = dataclasses.field(default_factory=list)
    """The statuses that are right; with [0] alone the input must be accepted."""
    statuses: list = dataclasses.field(default_factory=lambda: [0, 1])
    """What the standard output must be when the status is 0: `json`, `same` as that of the case's first such step, or anything."""
    prints: str = ""


@dataclasses.dataclass
class Case:
    kind: str
    """Path relative to `{in}`, and bytes."""
    files: dict
    steps: list
    """What was changed, for people."""
    changes: list = dataclasses.field(default_factory=list)

    def write(self, folder):
        for name, data in self.files.items():
            path = folder / "in" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def keep(self, folder, finding):
        """Writes the case with what it was found for."""
        folder.mkdir(parents=True, exist_ok=True)
        self.write(folder)
        steps = [dataclasses.asdict(step) for step in self.steps]
        document = {"kind": self.kind, "finding": finding, "changes": self.changes, "steps": steps}
        (folder / "case.json").write_text(json.dumps(document, indent=1) + "\n")


def load(path):
    """The case of a folder, or of the `case.json` in it, that `keep` wrote."""
    path = pathlib.Path(path)
    folder = path if path.is_dir() else path.parent
    document = json.loads((folder / "case.json").read_text())
    files = {str(file.relative_to(folder / "in")): file.read_bytes()
             for file in sorted((folder / "in").rglob("*")) if file.is_file()}
    return Case(document["kind"], files, [Step(**step) for step in document["steps"]], document["changes"])
