"""hp.bulk: a corpus's values as a directory of files."""

from __future__ import annotations

import os
from collections.abc import Iterable

from hydrophone.bulk import formats
from hydrophone.bulk.corpus import as_corpus
from hydrophone.bulk.finished import Bulk
from hydrophone.bulk.part import Part
from hydrophone.bulk.patience import RETRIED
from hydrophone.bulk.work import Work, prepare
from hydrophone.client import Client
from hydrophone.errors import DiskFull
from hydrophone.requests.edits import Edit
from hydrophone.requests.hooks import Hooks
from hydrophone.requests.inputs import Input
from hydrophone.requests.values import Layers, Numbers, Positions


def bulk(
    client: Client,
    corpus: Iterable[Input] | os.PathLike[str],
    hooks: Hooks,
    out: str | os.PathLike[str],
    *,
    layers: Layers = None,
    positions: Positions = None,
    heads: Numbers | None = None,
    features: Numbers | None = None,
    dtype: str | None = None,
    edits: Edit | Iterable[Edit] | None = None,
    prepend_bos: bool = False,
    literal_specials: bool = False,
    truncate: bool = False,
    skip_bad_inputs: bool = False,
    shuffle: int | None = None,
    format: str = "safetensors",
    texts_per_shard: int = 256,
    part: tuple[int, int] | None = None,
    patience: float = 600.0,
    progress: bool = True,
) -> Bulk:
    """Captures a corpus into the directory `out`: shard-00000.safetensors and so on, and index.json, which says what
    each of them holds. Killed at any moment and called again, it goes on, and the bytes are those of an undisturbed
    job.

    `corpus` is inputs, as extract takes them, or a pathlib.Path of a JSON-lines file (a line: a JSON string, or an
    object with "text", "token_ids" or "text_bytes_base64"), which is not kept in memory. A shard has, by canonical
    name, the rows of `texts_per_shard` texts, [rows, width] or [rows, heads, width of a head], and int64 [rows]
    "token_ids", "positions" (of the token in its text) and "texts" (the text's number in the corpus). With a seed in
    `shuffle`, texts go into the shards in another order, and each shard's rows stand in another order. `format` is
    "safetensors" or "parquet" (hydrophone[parquet]; the bytes also depend on pyarrow's version).

    `part` (2, 8) makes the third of eight ranges of shards; several processes, on several machines that share `out`,
    each make one, and the last one to end writes index.json.

    Two shards are in memory at once, and asked for in `client`'s requests in flight. While no server answers, it asks
    again for `patience` seconds. `progress` shows tokens a second, bytes, and the time left, on standard error. The
    other arguments are extract's.

    InvalidArgument: `out` holds another job, or another process writes into it. Precondition: the server has another
    model than the job was begun with, or other numerics. DiskFull, Unavailable: what is written stays, and the same
    call goes on.

    >>> import pathlib, tempfile
    >>> out = pathlib.Path(tempfile.mkdtemp())
    >>> done = hp.bulk(client, ["Hello world", "Goodbye"], "resid_post", out, layers=6, progress=False)
    >>> done.rows, [shard.name for shard in done.shards]
    (4, ['shard-00000.safetensors'])
    """
    work = prepare(
        client,
        as_corpus(corpus),
        hooks,
        out,
        formats.named(format),
        layers=layers,
        positions=positions,
        heads=heads,
        features=features,
        dtype=dtype,
        edits=edits,
        prepend_bos=prepend_bos,
        literal_specials=literal_specials,
        truncate=truncate,
        skip_bad_inputs=skip_bad_inputs,
        shuffle=shuffle,
        texts_per_shard=texts_per_shard,
        patience=patience,
        part=Part(*part) if part is not None else None,
    )
    return carry_out(client, work, progress)


def carry_out(client: Client, work: Work, progress: bool) -> Bulk:
    """Does the work."""
    with work.alone():
        work.begin()
        try:
            client.run(work.carry_out(client.session, progress))
        except (DiskFull, *RETRIED) as error:
            raise work.with_state(error) from error
        return work.finish()
