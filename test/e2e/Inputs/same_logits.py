"""Whether two compiled language models give the same bits.

    same_logits.py BINARY OTHER
"""

import pathlib
import sys

import numpy

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import model


def main():
    tokens = numpy.arange(1, 40, dtype=numpy.int32)
    first, second = (model.logits_of(binary, tokens) for binary in sys.argv[1:])
    if first.tobytes() != second.tobytes():
        sys.exit("the logits differ")


if __name__ == "__main__":
    main()
