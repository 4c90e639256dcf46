"""Changes one member of a JSON file: `edit_json.py FILE PATH VALUE`, PATH as in `model/vocab/a`, VALUE as Python writes it."""

import json
import sys


def main(file, path, value):
    with open(file, encoding="utf-8") as source:
        tree = json.load(source)
    *parents, last = [int(step) if step.isdigit() else step for step in path.split("/")]
    place = tree
    for step in parents:
        place = place[step]
    place[last] = eval(value, {})
    with open(file, "w", encoding="utf-8") as target:
        json.dump(tree, target)


main(*sys.argv[1:])
