"""Compares a compiled Medusa model with the outputs of an independent implementation (test/data/README.md).

    check_medusa.py BINARY EXPECTED.safetensors MAX_ERROR

Of every prompt, at every position, the logits are within MAX_ERROR absolute, and each head's ten guesses are the likeliest
tokens of its expected logits, in that order. The guesses for one row alone, and for rows together, are the same.
"""

import sys

import numpy

import medusa_model
import safetensors_file


def main():
    binary, path, max_error = sys.argv[1:4]
    expected = safetensors_file.load(path)
    prompts = sorted(name.removesuffix(".input_ids") for name in expected if name.endswith(".input_ids"))
    if not prompts:
        sys.exit(f"{path} holds no prompts")
    failures = 0
    for prompt in prompts:
        logits, hidden = medusa_model.forward(binary, expected[prompt + ".input_ids"])
        error = numpy.abs(logits - expected[prompt + ".logits"]).max()
        guesses = medusa_model.guess(binary, hidden)
        wanted = medusa_model.likeliest(expected[prompt + ".head_logits"], 10).transpose(1, 0, 2)
        wrong = int((guesses != wanted).sum()) if guesses.shape == wanted.shape else wanted.size
        alone = medusa_model.guess(binary, hidden[:1])
        print(f"{prompt}: {len(logits)} tokens, largest error {error:.3g}, {wrong} of {wanted.size} guesses wrong")
        failures += not error <= float(max_error) or wrong > 0 or not (alone == guesses[:1]).all()
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
