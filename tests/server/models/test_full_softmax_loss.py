"""The loss that trains the default model is softmax cross-entropy, and its gradient too."""

import pathlib
import sys

import pytest
import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "server" / "models"))

from full_softmax_loss import LOGIT_ROWS, FullSoftmaxLoss


@pytest.mark.parametrize("rows", [1, LOGIT_ROWS, 2 * LOGIT_ROWS + 3])
def test_loss_and_gradients_are_those_of_cross_entropy(rows):
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(rows, 8, generator=generator, dtype=torch.float64, requires_grad=True)
    embedding = torch.randn(50, 8, generator=generator, dtype=torch.float64, requires_grad=True)
    targets = torch.randint(50, (rows,), generator=generator)

    loss = FullSoftmaxLoss.apply(hidden, embedding, targets)
    gradients = torch.autograd.grad(3 * loss, (hidden, embedding))

    expected = torch.nn.functional.cross_entropy(hidden @ embedding.T, targets)
    wanted = torch.autograd.grad(3 * expected, (hidden, embedding))
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(gradients, wanted)
