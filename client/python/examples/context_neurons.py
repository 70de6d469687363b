"""Which neurons hear the same word differently after another context?

Question: a word is the same, its position is the same, and one word before it differs. Which neurons' activations
    (after the activation function) at the word change with it?
Method: each word once after "love" and once after "hate"; a neuron's paired differences over the words give Student's
    t. Neurons count as modulated when |t| is above the 95 % quantile of the layer's largest |t| under random signs of
    the words' differences, which bounds the chance of a single false one (Nichols & Holmes 2002, Human Brain Mapping
    15:1). A second pair of runs has every attention's output set to 0.
See: how many neurons of each layer are modulated. Without attention nothing of another position reaches the word, so
    that the two contexts' activations are then equal to the bit: the last column is 0.

Usage: python context_neurons.py [PICTURE.png]; HYDROPHONE_SERVER, or a server that this starts.
"""

import os
import sys
from typing import NamedTuple

import numpy as np

import hydrophone as hp

CONTEXTS = ("I love the {}", "I hate the {}")
WORDS = """king queen man woman house night day world sword crown ship sea land war fire water earth rose court
    prince duke city people song word law stone gold wine bed""".split()
SHUFFLES = 200


class Modulation(NamedTuple):
    """`values` [context, layer, word, neuron]; `t` [layer, neuron]; `threshold` and `without_attention` [layer]."""

    values: np.ndarray
    t: np.ndarray
    threshold: np.ndarray
    without_attention: np.ndarray

    @property
    def modulated(self):
        return np.abs(self.t) > self.threshold[:, None]


def measure(client):
    values = activations(client)
    differences = values[0] - values[1]
    signs = np.random.default_rng(0).choice([-1.0, 1.0], size=(SHUFFLES, len(WORDS)))
    largest = [np.abs(student(differences * each[:, None])).max(axis=1) for each in signs]
    apart = activations(client, hp.zero("attn_out", layers="all"))
    return Modulation(
        values,
        student(differences),
        np.quantile(largest, 0.95, axis=0),
        np.abs(apart[0] - apart[1]).max(axis=(1, 2)),
    )


def activations(client, edits=None):
    """Each context's activations at its words, float64 [context, layer, word, neuron]."""
    found = []
    for context in CONTEXTS:
        texts = [context.format(word) for word in WORDS]
        result = client.extract(texts, "mlp.hook_post", positions="last", rows=True, edits=edits)
        found.append(result.stack("mlp.hook_post"))
    return np.array(found, dtype=np.float64)


def student(differences):
    """Student's t of paired differences [layer, word, neuron] over the words; 0 where none differs."""
    mean, spread = differences.mean(axis=1), differences.std(axis=1, ddof=1) / np.sqrt(differences.shape[1])
    return np.divide(mean, spread, out=np.zeros_like(mean), where=spread > 0)


def table(found):
    lines = ["layer  modulated of neurons  largest |t|  above  without attention: largest difference"]
    for layer, t in enumerate(found.t):
        count = found.modulated[layer].sum()
        row = f"{layer:5}  {count:9} of {len(t):<7}  {np.abs(t).max():11.2f}  {found.threshold[layer]:5.2f}"
        lines.append(f"{row}  {found.without_attention[layer]:g}")
    return "\n".join(lines)


def plot(found, path):
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
    left.bar(range(len(found.t)), found.modulated.mean(axis=1))
    left.set(xlabel="layer", ylabel="share of modulated neurons", title=" / ".join(CONTEXTS))
    layer, neuron = np.unravel_index(np.abs(found.t).argmax(), found.t.shape)
    one, other = found.values[:, layer, :, neuron]
    right.scatter(one, other, s=12)
    right.axline((one.mean(), one.mean()), slope=1, color="grey", linewidth=0.8)
    right.set(xlabel=CONTEXTS[0], ylabel=CONTEXTS[1], title=f"each word, layer {layer}, neuron {neuron}")
    figure.savefig(path)


def main(picture="context_neurons.png"):
    with hp.Client() if "HYDROPHONE_SERVER" in os.environ else hp.serve() as client:
        found = measure(client)
    print(table(found))
    plot(found, picture)


if __name__ == "__main__":
    main(*sys.argv[1:])
