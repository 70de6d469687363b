"""Draws a model's loss.svg from its training.json.

Run as a program on a model's directory, it draws the curve anew: loss_curve.py DIR
"""

import json
import pathlib
import sys

import matplotlib
from matplotlib.figure import Figure

matplotlib.rcParams["svg.hashsalt"] = "hydrophone"  # the same file from the same figures

SMOOTH = 20  # steps whose mean loss is one point of the training curve


def smooth(points):
    chunks = [points[i : i + SMOOTH] for i in range(0, len(points), SMOOTH)]
    return [(chunk[-1][0], sum(loss for _, loss in chunk) / len(chunk)) for chunk in chunks]


def write(directory):
    """Draws `directory`/loss.svg from `directory`/training.json."""
    figures = json.loads((directory / "training.json").read_text(encoding="utf-8"))
    figure = Figure(figsize=(7, 3.6), layout="constrained")
    axes = figure.subplots()
    history = figures["history"]
    axes.plot(*zip(*smooth(history["train"]), strict=True), color="0.6", label=f"training, mean of {SMOOTH} steps")
    axes.plot(
        *zip(*history["held_out"], strict=True),
        color="C0",
        marker="o",
        markersize=3,
        label="held out (the first part)",
    )
    for name, style, label in (
        ("unigram_cross_entropy", "--", "unigram: training frequencies"),
        ("unigram_own_entropy", ":", "unigram: held-out text's own frequencies"),
    ):
        axes.axhline(figures[name], color="C3", linestyle=style, linewidth=1, label=label)
    axes.set(xlabel="step", ylabel="loss (nats per token)", ylim=(4, 8), xlim=(0, figures["steps"]))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize="small")
    figure.savefig(directory / "loss.svg", metadata={"Date": None})


if __name__ == "__main__":
    write(pathlib.Path(sys.argv[1]))
