"""The arithmetic that no server can do without: THREADS MODEL.

Every block's four products as torch.addmm, into memory that is there already, each block with weights of its own; and
the causal half of the attention products, taken as half the time of the full squares.
"""

import json
import pathlib
import sys
import time

import torch

from peers.worker import device, serve


def now():
    """Once the device is done with what it was given."""
    if device() != "cpu":
        torch.cuda.synchronize(device())
    return time.perf_counter()


class Products:
    def __init__(self, directory):
        config = json.loads((pathlib.Path(directory) / "config.json").read_text())
        self._layers, self._width, self._heads = config["n_layer"], config["n_embd"], config["n_head"]
        d, inner = self._width, config["n_inner"] or 4 * self._width
        shapes = [(d, 3 * d), (d, d), (d, inner), (inner, d)]
        self._blocks = [
            [tuple(torch.randn(size, device=device()) for size in ((out,), (rows, out))) for rows, out in shapes]
            for _ in range(self._layers)
        ]
        self._memory = {}

    def _tensor(self, name, *shape):
        if self._memory.get(name) is None or self._memory[name].shape != shape:
            self._memory[name] = torch.randn(shape, device=device())
        return self._memory[name]

    def gemms(self, rows):
        """Seconds of all blocks' products for `rows` tokens."""
        inputs = {k: self._tensor(f"in {k}", rows, k) for k in {weight.shape[0] for _, weight in self._blocks[0]}}
        outputs = [self._tensor(f"out {i}", rows, weight.shape[1]) for i, (_, weight) in enumerate(self._blocks[0])]
        begun = now()
        for block in self._blocks:
            for (bias, weight), output in zip(block, outputs, strict=True):
                torch.addmm(bias, inputs[weight.shape[0]], weight, out=output)
        return now() - begun

    def attention(self, count, length):
        """Seconds of all blocks' q k^T and p v for `count` sequences, the causal half."""
        heads, d_head = count * self._heads, self._width // self._heads
        q, k, v, z = (self._tensor(name, heads, length, d_head) for name in "qkvz")
        scores = self._tensor("scores", heads, length, length)
        begun = now()
        for _ in range(self._layers):
            torch.bmm(q, k.transpose(1, 2), out=scores)
            torch.bmm(scores, v, out=z)
        return (now() - begun) / 2


@torch.inference_mode()
def main():
    torch.set_num_threads(int(sys.argv[1]))
    products = Products(sys.argv[2])

    def forward(count, length):
        gemms, attention = products.gemms(count * length), products.attention(count, length)
        return {"seconds": gemms + attention, "gemms": gemms, "attention": attention}

    serve({"forward": forward})


main()
