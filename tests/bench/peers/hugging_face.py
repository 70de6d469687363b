"""Hugging Face in process: THREADS MODEL."""

import sys

import torch

from peers.hooked_gpt2 import HookedGpt2
from peers.worker import serve, timed


def padded(texts):
    """Right-padded ids and the mask, as a tokenizer with padding=True gives them."""
    longest = max(len(text) for text in texts)
    ids = torch.zeros(len(texts), longest, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, text in enumerate(texts):
        ids[row, : len(text)] = torch.tensor(text)
        mask[row, : len(text)] = 1
    return ids, mask


def main():
    torch.set_num_threads(int(sys.argv[1]))
    model = HookedGpt2(sys.argv[2])

    def forward(inputs, points):
        ids = torch.tensor(inputs)
        return timed(lambda: model.run(ids, points))

    def ragged(texts, points, size, by_length):
        """Batches of `size`; each text's own rows, as views, so that the padding is not delivered."""

        def work():
            order = sorted(texts, key=len) if by_length else texts
            for first in range(0, len(order), size):
                batch = order[first : first + size]
                ids, mask = padded(batch)
                captured = model.run(ids, points, mask=mask)
                _rows = [[values[row, : len(text)] for values in captured.values()] for row, text in enumerate(batch)]

        return timed(work)

    serve({"forward": forward, "ragged": ragged})


main()
