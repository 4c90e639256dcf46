"""Writes the configuration of the fixture llama-gqa with other values: with.py IN OUT JSON, where null removes a key."""

import json
import sys

source, target, changes = sys.argv[1:]
with open(source) as file:
    config = json.load(file)
for key, value in json.loads(changes).items():
    config.pop(key, None)
    if value is not None:
        config[key] = value
with open(target, "w") as file:
    json.dump(config, file)
