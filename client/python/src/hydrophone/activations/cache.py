"""hp.cache_activations: SAELens's cached-activations data set."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable

import numpy as np

from hydrophone.activations import point, windows
from hydrophone.activations.data_set import DataSet
from hydrophone.bulk.corpus import Corpus, as_corpus
from hydrophone.bulk.finished import Bulk
from hydrophone.bulk.patience import Patience
from hydrophone.bulk.run import carry_out
from hydrophone.bulk.work import prepare
from hydrophone.client import Client, check_blocking
from hydrophone.errors import InvalidArgument
from hydrophone.operations.session import describe
from hydrophone.requests.hooks import Hook
from hydrophone.requests.inputs import Input
from hydrophone.requests.values import Positions
from hydrophone.wire.tensors import Array


def cache_activations(
    client: Client,
    corpus: Iterable[Input] | os.PathLike[str],
    hook: str,
    out: str | os.PathLike[str],
    layer: int | None = None,
    context: int = 128,
    *,
    positions: Positions = None,
    prepend_bos: bool = True,
    dtype: str | None = None,
    shuffle: int | None = None,
    windows_per_shard: int = 1024,
    patience: float = 600.0,
    progress: bool = True,
) -> Bulk:
    """Writes a corpus's activations into the directory `out` as SAELens's CacheActivationsRunner writes them, so that
    its ActivationsStore reads them: `use_cached_activations=True, cached_activations_path=out`, and as `hook_name` the
    point's canonical name ("blocks.6.hook_resid_post"). `context_size` is `context`, or how many `positions` are taken.

    Texts are packed as hp.activations packs them; the values are float32, the very ones that extract gives, unless
    `dtype` asks for another one on the wire. With a seed in `shuffle`, the windows stand in another order. It is a job
    like hp.bulk's, with its errors: killed and called again, it goes on; `windows_per_shard` windows are a file. Memory
    holds the corpus's token ids, four bytes each. Needs hydrophone[sae-lens].
    """
    check_blocking(client)
    if windows_per_shard < 1:
        raise InvalidArgument.of("windows_per_shard", f"got {windows_per_shard}, expected at least 1")
    if shuffle is not None and not 0 <= shuffle < 1 << 32:
        raise InvalidArgument.of("shuffle", f"got {shuffle}, expected a seed from 0 to {(1 << 32) - 1}")
    _, model = client.run(describe(client.session))
    windows.check_context(context, prepend_bos, model)
    found = client.run(point.find(client.session, hook, layer, positions, dtype, context))
    files = DataSet(found.name, found.rows_of, found.width)
    files.check()
    given = _windows(client, as_corpus(corpus), context, model.bos_token_id, prepend_bos, patience)
    if shuffle is not None:
        given = given[np.random.RandomState(shuffle).permutation(len(given))]
    selector = Hook(hook, layer, positions, dtype=dtype)
    work = prepare(client, Windows(given), selector, out, files, texts_per_shard=windows_per_shard, patience=patience)
    return carry_out(client, work, progress)


def _windows(
    client: Client, corpus: Corpus, context: int, bos: int | None, prepend_bos: bool, patience: float
) -> Array:
    """All windows of a corpus, int32 [windows, context]."""
    waiting = Patience(patience)
    texts = windows.token_ids(
        client.session, lambda asked: client.run(waiting.ask(asked)), corpus, range(len(corpus)), set()
    )
    packed = [np.array(window, dtype="<i4") for window in windows.packed(texts, context, bos, prepend_bos)]
    if not packed:
        raise windows.too_small(corpus, context)
    return np.stack(packed)


class Windows:
    """Windows of token ids as the corpus of a job."""

    def __init__(self, ids: Array) -> None:
        self._ids = ids
        self.digest = hashlib.sha256(repr(ids.shape).encode() + ids.tobytes()).hexdigest()

    def __len__(self) -> int:
        return len(self._ids)

    def __getitem__(self, number: int) -> Input:
        window: Array = self._ids[number]
        return window
