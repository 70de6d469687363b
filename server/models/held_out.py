"""Figures on held-out text: the model's loss, and what knowing only token frequencies gives."""

import torch
from torch.nn import functional


@torch.inference_mode()
def losses_by_position(model, ids, length):
    """Mean loss (nats) at each position, [length], over windows of `length` without overlap."""
    model.eval()
    windows = [ids[start : start + length + 1] for start in range(0, len(ids) - length, length)]
    total = torch.zeros(length, dtype=torch.float64)
    for window in windows:
        logits = model(window[None, :-1]).logits[0]
        total += functional.cross_entropy(logits, window[1:], reduction="none").double()
    return total / len(windows)


def unigram_entropies(train_ids, held_out_ids, vocabulary):
    """What a model without context could reach on the held-out text, in nats per token.

    Returns the cross-entropy of the training text's unigram frequencies, one added to each count,
    and the entropy of the held-out text's own frequencies: a bound that no unigram model can beat.
    """
    train = torch.bincount(train_ids, minlength=vocabulary).double() + 1.0
    held_out = torch.bincount(held_out_ids, minlength=vocabulary).double()
    share = held_out / held_out.sum()
    cross = -(share * torch.log(train / train.sum())).sum().item()
    own = -torch.special.xlogy(share, share).sum().item()
    return cross, own
