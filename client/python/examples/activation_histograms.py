"""Are neurons more active on long tokens than on short ones?

Question: how do the activations of a layer's neurons (after the activation function) differ between tokens of one
    letter, of a few, and of many?
Method: every token of a text, by the number of its characters without the space before it; for each layer and group
    the histogram of all neurons' activations, their mean, spread, and the share above 0. The first token, whose
    activations are unlike the others' (Xiao et al. 2023, "attention sinks", arXiv:2309.17453), is left out.
See: whether the histograms of long and short tokens lie on each other, and in which layers they part.

Usage: python activation_histograms.py [PICTURE.png]; HYDROPHONE_SERVER, or a server that this starts.
"""

import os
import sys
from typing import NamedTuple

import numpy as np

import hydrophone as hp

# Shakespeare's sonnets 18 and 29.
TEXTS = [
    """Shall I compare thee to a summer's day?
Thou art more lovely and more temperate:
Rough winds do shake the darling buds of May,
And summer's lease hath all too short a date:
Sometime too hot the eye of heaven shines,
And often is his gold complexion dimm'd;
And every fair from fair sometime declines,
By chance or nature's changing course untrimm'd;
But thy eternal summer shall not fade
Nor lose possession of that fair thou owest;
Nor shall Death brag thou wander'st in his shade,
When in eternal lines to time thou growest:
So long as men can breathe or eyes can see,
So long lives this and this gives life to thee.""",
    """When, in disgrace with fortune and men's eyes,
I all alone beweep my outcast state
And trouble deaf heaven with my bootless cries
And look upon myself and curse my fate,
Wishing me like to one more rich in hope,
Featured like him, like him with friends possess'd,
Desiring this man's art and that man's scope,
With what I most enjoy contented least;
Yet in these thoughts myself almost despising,
Haply I think on thee, and then my state,
Like to the lark at break of day arising
From sullen earth, sings hymns at heaven's gate;
For thy sweet love remember'd such wealth brings
That then I scorn to change my state with kings.""",
]
GROUPS = {"1": range(2), "2": range(2, 3), "3-4": range(3, 5), "5 and more": range(5, 100)}
EDGES = np.linspace(-0.5, 3.0, 71)  # the last bin also has what lies above


class Histograms(NamedTuple):
    """By layer and group: `counts` [layer, group, bin], and [layer, group] each; `tokens` [group]."""

    tokens: np.ndarray
    counts: np.ndarray
    mean: np.ndarray
    std: np.ndarray
    active: np.ndarray


def measure(client):
    result = client.extract(TEXTS, "mlp.hook_post", positions=slice(1, None), rows=True)
    values = result.stack("mlp.hook_post")  # [layer, token, neuron]
    lengths = np.array([len(token.strip()) for tokens in result.tokens for token in tokens[1:]])
    groups = [np.isin(lengths, list(each)) for each in GROUPS.values()]
    parts = [[layer[group] for group in groups] for layer in values]

    def of_each(function):
        return np.array([[function(part) for part in layer] for layer in parts])

    return Histograms(
        tokens=np.array([group.sum() for group in groups]),
        counts=of_each(lambda part: np.histogram(np.minimum(part, EDGES[-1]), EDGES)[0]),
        mean=of_each(lambda part: part.mean(dtype=np.float64)),
        std=of_each(lambda part: part.std(dtype=np.float64)),
        active=of_each(lambda part: (part > 0).mean()),
    )


def table(found):
    names = [f"{name} ({tokens})" for name, tokens in zip(GROUPS, found.tokens, strict=True)]
    lines = ["mean activation and share above 0, by characters of the token (tokens)"]
    lines.append("layer  " + "  ".join(f"{name:>16}" for name in names))
    for layer, (means, shares) in enumerate(zip(found.mean, found.active, strict=True)):
        cells = [f"{mean:9.4f} {share:6.3f}" for mean, share in zip(means, shares, strict=True)]
        lines.append(f"{layer:5}  " + "  ".join(cells))
    return "\n".join(lines)


def plot(found, path):
    from matplotlib import pyplot

    layers = len(found.counts)
    shown = [0, layers // 2, layers - 1]
    figure, panels = pyplot.subplots(1, len(shown), figsize=(11, 3.5), layout="constrained", sharey=True)
    for panel, layer in zip(panels, shown, strict=True):
        for name, counts in zip(GROUPS, found.counts[layer], strict=True):
            panel.stairs(counts / counts.sum(), EDGES, label=name)
        panel.set(yscale="log", xlabel="activation", title=f"layer {layer}")
    panels[0].set_ylabel("share of activations")
    panels[-1].legend(title="characters")
    figure.savefig(path)


def main(picture="activation_histograms.png"):
    with hp.Client() if "HYDROPHONE_SERVER" in os.environ else hp.serve() as client:
        found = measure(client)
    print(table(found))
    plot(found, picture)


if __name__ == "__main__":
    main(*sys.argv[1:])
