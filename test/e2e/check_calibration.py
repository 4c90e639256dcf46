"""check_calibration.py BINARY TEXT CALIBRATION.json: counts the guesses that are right from what the entries give."""

import json
import sys

import numpy

import medusa_model
import model


def main():
    binary, path, calibration = sys.argv[1:]
    found = json.load(open(calibration))
    tokens = numpy.array(model.tokens_of(binary, open(path, "rb").read()), numpy.int32)
    context = 256  # that of the test
    right, asked = numpy.zeros((3, 10)), numpy.zeros(3)
    for begin in range(0, len(tokens), context):
        part = tokens[begin:begin + context]
        _, hidden = medusa_model.forward(binary, part)
        guesses = numpy.concatenate([medusa_model.guess(binary, hidden[i:i + 64]) for i in range(0, len(part), 64)])
        for position in range(len(part)):
            for head in range(3):
                if position + 2 + head < len(part):
                    asked[head] += 1
                    right[head] += guesses[position][head] == part[position + 2 + head]
    expected = right / asked[:, None]
    if found["positions"] != len(tokens) or not numpy.allclose(found["accuracies"], expected, atol=1e-9):
        sys.exit(f"found {found['positions']} positions, {found['accuracies']}; expected {len(tokens)}, {expected.tolist()}")
    if not right.any():
        sys.exit("no guess is right, so that there is nothing to compare")
    rows = [row for row, _ in found["step_seconds"]]
    if rows != [1, 2, 4, 8, 16, 32, 64] or min(seconds for _, seconds in found["step_seconds"]) <= 0:
        sys.exit(f"found the steps {found['step_seconds']}")


if __name__ == "__main__":
    main()
