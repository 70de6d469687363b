"""The full softmax loss over a large vocabulary without all its logits in memory at once."""

import torch

LOGIT_ROWS = 256  # rows of logits in memory at a time: 51 MB for GPT-2's vocabulary


class FullSoftmaxLoss(torch.autograd.Function):
    """Mean cross-entropy (nats) of softmax(hidden @ embedding.T) exactly, in pieces of LOGIT_ROWS.

    hidden [n, d], embedding [V, d], targets [n]. The gradient is made in the forward pass, while a
    piece's exponentials e [LOGIT_ROWS, V] are there: with z their sums, d_hidden = (e @ embedding)
    / z - embedding[targets], and likewise d_embedding; `backward` only scales them.
    """

    @staticmethod
    def forward(ctx, hidden, embedding, targets):
        count = hidden.shape[0]
        d_hidden, d_embedding = torch.empty_like(hidden), torch.zeros_like(embedding)
        buffer = hidden.new_empty(min(LOGIT_ROWS, count), embedding.shape[0])
        total = 0.0
        for start in range(0, count, LOGIT_ROWS):
            piece, wanted = hidden[start : start + LOGIT_ROWS], targets[start : start + LOGIT_ROWS]
            e = torch.mm(piece, embedding.T, out=buffer[: len(piece)])  # still the logits
            right, highest = e.gather(1, wanted[:, None]), e.amax(dim=1, keepdim=True)
            z = e.sub_(highest).exp_().sum(dim=1, keepdim=True)
            total += (z.log() + highest - right).sum().item()
            d_hidden[start : start + LOGIT_ROWS] = (e @ embedding) / z - embedding[wanted]
            d_embedding.addmm_(e.T, piece / z).index_add_(0, wanted, piece, alpha=-1)
        ctx.save_for_backward(d_hidden.div_(count), d_embedding.div_(count))
        return hidden.new_tensor(total / count)

    @staticmethod
    def backward(ctx, scale):
        d_hidden, d_embedding = ctx.saved_tensors
        return d_hidden * scale, d_embedding * scale, None
