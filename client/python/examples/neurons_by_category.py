"""Which neurons are tuned to grammar, nouns against verbs?

Question: does a neuron's projection (the MLP's c_fc, before its activation function) tell a noun from a verb?
Method: all words stand at the end of one sentence, so that the word alone differs. Each neuron's projection is
    regressed on the category (least squares, one regressor): R2 is the share of its variance that the category
    explains. Neurons count as tuned when their R2 is above the 95 % quantile of the layer's largest R2 when the
    categories are shuffled, which bounds the chance of a single false one (Nichols & Holmes 2002, Human Brain Mapping
    15:1). The tuned neurons' slopes are then a direction on which the server projects words that had no part in the
    regression. After Gurnee et al. 2023, "Finding Neurons in a Haystack" (arXiv:2305.01610).
See: how many neurons of each layer are tuned, how much the best one's category explains, and how many of the held-out
    words the direction puts on the right side: 0.5 is chance.

Usage: python neurons_by_category.py [PICTURE.png]; HYDROPHONE_SERVER, or a server that this starts.
"""

import os
import sys
from typing import NamedTuple

import numpy as np

import hydrophone as hp

SENTENCE = "The next word is {}"
NOUNS = """king queen lord man woman house heart hand head eye night day world death life blood name father mother son
    daughter brother sister friend enemy sword crown ship sea land war peace fire water earth heaven soul tongue face
    grave""".split()
VERBS = """go come make take give see know think speak tell hear find keep bring send stand sit live die kill fight
    marry bear hold fall rise run ride weep laugh swear pray eat drink sleep wake begin follow leave forget""".split()
SHUFFLES = 200


class Tuning(NamedTuple):
    """R2 and slopes are [layer, neuron], the others [layer]; `values` are the projections, [layer, word, neuron]."""

    values: np.ndarray
    r2: np.ndarray
    slopes: np.ndarray
    threshold: np.ndarray
    held_out: np.ndarray

    @property
    def tuned(self):
        return self.r2 > self.threshold[:, None]


def measure(client):
    """The first three quarters of each list are regressed on, the rest held out."""
    begin, end = (len(words) * 3 // 4 for words in (NOUNS, VERBS))
    words = [SENTENCE.format(word) for word in NOUNS[:begin] + VERBS[:end]]
    category = np.repeat([0.5, -0.5], [begin, end])
    values = client.extract(words, "mlp.hook_pre", positions="last", rows=True).stack("mlp.hook_pre")
    r2, slopes = regress(values, category)
    shuffled = np.random.default_rng(0)
    largest = [regress(values, shuffled.permutation(category))[0].max(axis=1) for _ in range(SHUFFLES)]
    threshold = np.quantile(largest, 0.95, axis=0)
    directions = np.where(r2 > threshold[:, None], slopes, 0.0)
    held_out = [tell_apart(client, layer, direction, values) for layer, direction in enumerate(directions)]
    return Tuning(values, r2, slopes, threshold, np.array(held_out))


def regress(values, category):
    """R2 and slope of each neuron on the category, [layer, neuron]."""
    y, x = values - values.mean(axis=1, keepdims=True), category - category.mean()
    covariance = np.einsum("lwn,w->ln", y, x)
    return covariance**2 / (np.square(y).sum(axis=1) * np.square(x).sum()), covariance / np.square(x).sum()


def tell_apart(client, layer, direction, values):
    """The share of held-out words on their category's side of the regressed words' mean; chance without neurons."""
    if not direction.any():
        return 0.5
    nouns, verbs = NOUNS[len(NOUNS) * 3 // 4 :], VERBS[len(VERBS) * 3 // 4 :]
    words = [SENTENCE.format(word) for word in nouns + verbs]
    hook = hp.hook("mlp.hook_pre", layer, "last", project=direction)
    scores = client.extract(words, hook, rows=True)["mlp.hook_pre"].reshape(-1)
    is_noun = np.arange(len(words)) < len(nouns)
    return np.mean((scores > values[layer].mean(axis=0) @ direction) == is_noun)


def table(found):
    lines = ["layer  tuned of neurons  largest R2  above  held-out words told apart"]
    for layer, r2 in enumerate(found.r2):
        count, best = found.tuned[layer].sum(), r2.max()
        row = f"{layer:5}  {count:5} of {len(r2):<7}  {best:10.3f}  {found.threshold[layer]:5.3f}"
        lines.append(f"{row}  {found.held_out[layer]:.2f}")
    return "\n".join(lines)


def plot(found, path):
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
    left.bar(range(len(found.r2)), found.tuned.mean(axis=1))
    left.set(xlabel="layer", ylabel="share of tuned neurons", title="tuned to nouns or verbs")
    layer, neuron = np.unravel_index(found.r2.argmax(), found.r2.shape)
    nouns = len(NOUNS) * 3 // 4
    right.hist([found.values[layer, :nouns, neuron], found.values[layer, nouns:, neuron]], label=["nouns", "verbs"])
    right.set(xlabel="projection", ylabel="words", title=f"layer {layer}, neuron {neuron}")
    right.legend()
    figure.savefig(path)


def main(picture="neurons_by_category.png"):
    with hp.Client() if "HYDROPHONE_SERVER" in os.environ else hp.serve() as client:
        found = measure(client)
    print(table(found))
    plot(found, picture)


if __name__ == "__main__":
    main(*sys.argv[1:])
