"""hp.activations: shuffled activations without end, for SAELens's trainer."""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any

from hydrophone.activations import point, windows
from hydrophone.activations.feed import Feed, Plan
from hydrophone.bulk.corpus import as_corpus
from hydrophone.client import Client, check_blocking
from hydrophone.errors import InvalidArgument
from hydrophone.extras import need
from hydrophone.operations.session import describe
from hydrophone.requests.inputs import Input
from hydrophone.requests.values import Positions

if TYPE_CHECKING:
    import torch


def activations(
    client: Client,
    corpus: Iterable[Input] | os.PathLike[str],
    hook: str,
    layer: int | None = None,
    batch_size: int = 4096,
    shuffle_buffer: int = 1 << 16,
    context: int = 128,
    *,
    positions: Positions = None,
    prepend_bos: bool = True,
    dtype: str | None = None,
    seed: int = 0,
    patience: float = 60.0,
) -> Activations:
    """An endless iterator of shuffled token activations, torch float32 [batch_size, width] on the CPU: the data
    provider that SAELens's SAETrainer takes (sae_lens/training/types.py; the trainer moves each batch to its device).

    `corpus` is inputs, as extract takes them, or a pathlib.Path of a JSON-lines file, as hp.bulk takes it. Its texts
    are packed into windows of `context` tokens as SAELens packs them: one after the other with the
    beginning-of-sequence token between them, and in front of each window with `prepend_bos`. When the corpus ends it
    begins again, its texts in another order. `positions` of each window are taken (slice(1, None): all but the first,
    whose activations are GPT-2's largest). Where the hook point has heads, a row has those of all of them. `dtype` is
    the wire's.

    Rows are drawn from a buffer of `shuffle_buffer` rows, and the next ones take their places; memory holds that
    buffer, a few batches, and the answers of `client`'s requests in flight, which go on in the background while the
    trainer works. Of equal arguments the batches are equal, with the same model, numerics and NumPy. For one consuming
    thread.

    A server that is gone for less than `patience` seconds is waited for; another error of the background is raised
    where the next batch is asked for. Close the iterator, or let go of it, and the background ends. Needs
    hydrophone[torch].

    >>> texts = ["Plants make fantastic pets"] * 8
    >>> with hp.activations(client, texts, "resid_post", 6, batch_size=4, shuffle_buffer=16, context=8) as batches:
    ...     print(next(batches).shape, batches.hook)
    torch.Size([4, 64]) blocks.6.hook_resid_post
    """
    need("torch", "torch")
    check_blocking(client)
    if batch_size < 1:
        raise InvalidArgument.of("batch_size", f"got {batch_size}, expected at least 1")
    if shuffle_buffer < batch_size:
        raise InvalidArgument.of("shuffle_buffer", f"got {shuffle_buffer}, expected at least batch_size, {batch_size}")
    if not 0 <= seed < 1 << 32:
        raise InvalidArgument.of("seed", f"got {seed}, expected 0 to {(1 << 32) - 1}")
    _, model = client.run(describe(client.session))
    windows.check_context(context, prepend_bos, model)
    found = client.run(point.find(client.session, hook, layer, positions, dtype, context))
    given = as_corpus(corpus)
    plan = Plan(found, given, context, model.bos_token_id, prepend_bos, batch_size, shuffle_buffer, seed)
    return Activations(client, plan, patience)


class Activations(Iterator["torch.Tensor"]):
    """What hp.activations gives. `hook` is the point's canonical name, `width` that of a row."""

    def __init__(self, client: Client, plan: Plan, patience: float) -> None:
        self.hook, self.width, self.batch_size = plan.point.name, plan.point.width, plan.batch_size
        self._torch: Any = need("torch", "torch")
        self._feed = Feed(client, plan, patience)
        self._stop = weakref.finalize(self, self._feed.stop)
        self._pipe = self._feed.pipe

    def __next__(self) -> torch.Tensor:
        return self._torch.from_numpy(self._pipe.get())

    @property
    def batches(self) -> int:
        """How many were taken."""
        return self._pipe.taken

    @property
    def epoch(self) -> int:
        """How often the background has come to the end of the corpus."""
        return self._feed.epoch

    @property
    def skipped(self) -> frozenset[int]:
        """The numbers of the texts that have no tokens."""
        return frozenset(self._feed.skipped)

    @property
    def first_wait(self) -> float:
        """The seconds until the first batch, in which the buffer is filled."""
        return self._pipe.first_wait

    @property
    def waiting_share(self) -> float:
        """The share of the time since the first batch that the consumer spent waiting for the next one: near 0, the
        trainer is the slower one; near 1, the server is."""
        return self._pipe.waiting_share

    def close(self) -> None:
        """Ends the background, and waits until it has ended."""
        self._stop()
        self._feed.thread.join()

    def __enter__(self) -> Activations:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return (
            f"hydrophone.activations: {self.batches:,} batches of {self.hook} [{self.batch_size}, {self.width}], "
            f"{self.waiting_share:.1%} of the time spent waiting, after {self.first_wait:.1f} s for the first"
        )
