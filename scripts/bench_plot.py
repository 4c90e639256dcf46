"""Draws what scripts/bench measured.

    python bench_plot.py FILE.json FILE.svg
"""

import json
import sys

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "quern"

from matplotlib import pyplot  # noqa: E402  (after the choice of a backend)

COLOURS = ("#8c3b12", "#7f8fa6", "#b8c4d6", "#d9cbb3")


def draw_test(axes, test, rows, programs):
    """One group of bars per model, one bar per program, from the smallest to the largest sample."""
    width = 0.8 / len(programs)
    for place, program in enumerate(programs):
        bars = [(model + place * width, row["samples"][program]) for model, row in enumerate(rows)
                if program in row["samples"]]
        medians = [row["medians"][program] for row in rows if program in row["medians"]]
        axes.bar([x for x, _ in bars], medians, width, label=program, color=COLOURS[place % len(COLOURS)])
        axes.vlines([x for x, _ in bars], [min(y) for _, y in bars], [max(y) for _, y in bars], color="black",
                    linewidth=0.8)
    axes.set_title(test)
    axes.set_xticks([model + 0.4 - width / 2 for model in range(len(rows))], [row["model"] for row in rows])


def main():
    with open(sys.argv[1]) as file:
        result = json.load(file)
    tests = list(dict.fromkeys(row["test"] for row in result["rows"]))
    programs = ["quern", *result["peers"]]
    figure, all_axes = pyplot.subplots(1, len(tests), figsize=(4.2 * len(tests), 3.6), squeeze=False,
                                       layout="constrained")
    for axes, test in zip(all_axes[0], tests):
        draw_test(axes, test, [row for row in result["rows"] if row["test"] == test], programs)
    all_axes[0][0].set_ylabel(result["unit"])
    all_axes[0][0].legend(frameon=False)
    figure.suptitle(f"{result['cpu']}, {result['threads']} threads", fontsize="small")
    figure.savefig(sys.argv[2], metadata={"Date": None})


if __name__ == "__main__":
    main()
