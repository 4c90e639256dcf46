"""check_guesses.py ANSWERS BINARY: the answers to the requests of speculation.test, against texts of the model."""

import json
import sys

import model


def main():
    answers, binary = sys.argv[1:]
    hello, five, one = open(answers).read().splitlines()
    hello = json.loads(hello)
    if (hello["format"], hello["vocabulary"], hello["digest"]) != ("quern guesses 1", 320, None):
        sys.exit(f"found the introduction {hello}")
    for found, prompt in ((five, [3, 4]), (one, [3, 4, 7])):
        expected = model.greedy_of(binary, prompt, len(found.split()))
        if list(map(int, found.split())) != expected:
            sys.exit(f"found {found} behind {prompt}, expected {expected}")
    if (len(five.split()), len(one.split())) != (5, 1):
        sys.exit(f"found {five} and {one}, expected five tokens and one")


if __name__ == "__main__":
    main()
