"""hp.bulk: a corpus's values as a directory of files."""

from __future__ import annotations

import dataclasses
import functools
import os
import pathlib
from collections.abc import Iterable
from typing import Any

from hydrophone.bulk import shards, storage
from hydrophone.bulk.corpus import Corpus, as_corpus
from hydrophone.bulk.job import Job
from hydrophone.bulk.meter import Meter
from hydrophone.bulk.patience import RETRIED, Patience
from hydrophone.client import Client
from hydrophone.connection.operation import Operation, Together
from hydrophone.errors import DiskFull, HydrophoneError, InvalidArgument
from hydrophone.operations import tokens
from hydrophone.operations.extract import carry_out, renamed
from hydrophone.operations.session import Session, describe, model
from hydrophone.requests import extraction
from hydrophone.requests.edits import Edit
from hydrophone.requests.hooks import Hooks, as_hooks
from hydrophone.requests.inputs import Input
from hydrophone.requests.runs import as_edits
from hydrophone.requests.values import Layers, Numbers, Positions
from hydrophone.results.records import ModelInfo

INDEX = "index.json"

# Shards that are asked for at once, each in as many requests as the client has in flight: while one is written, the
# others keep the server busy.
_SHARDS_AT_ONCE = 2


@dataclasses.dataclass(frozen=True)
class Bulk:
    """A finished directory: its `shards` in order, the `rows` and `bytes` of them all, and why texts were `skipped`, by
    their numbers."""

    path: pathlib.Path
    shards: tuple[pathlib.Path, ...]
    texts: int
    rows: int
    bytes: int
    skipped: dict[int, str]


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
    texts_per_shard: int = 256,
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
    `shuffle`, texts go into the shards in another order, and each shard's rows stand in another order.

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
    if texts_per_shard < 1:
        raise InvalidArgument.of("texts_per_shard", f"got {texts_per_shard}, expected at least 1")
    if shuffle is not None and not 0 <= shuffle < 1 << 32:
        raise InvalidArgument.of("shuffle", f"got {shuffle}, expected a seed from 0 to {(1 << 32) - 1}")
    options: dict[str, Any] = {"layers": layers, "positions": positions, "heads": heads, "features": features}
    options |= {"dtype": dtype, "edits": as_edits(edits), "prepend_bos": prepend_bos}
    options |= {"literal_specials": literal_specials, "truncate": truncate}
    asking = functools.partial(extraction.extract, hooks=as_hooks(hooks), rows=True, **options)
    waiting = Patience(patience)
    session = client.session
    begun = client.run(waiting.ask(functools.partial(_begin, session, asking)))
    given = as_corpus(corpus)
    job = _job(*begun, given, texts_per_shard, shuffle)
    directory = pathlib.Path(out)
    directory.mkdir(parents=True, exist_ok=True)
    with storage.alone(directory):
        job.begin(directory)
        work = _Work(job, given, directory, functools.partial(asking, skip_bad_inputs=skip_bad_inputs), waiting)
        try:
            client.run(work.carry_out(session, progress))
        except (DiskFull, *RETRIED) as error:
            raise _with_state(error, work) from error
        return work.finish()


def _with_state(error: HydrophoneError, work: _Work) -> HydrophoneError:
    there = f"{len(work.there())} of {work.job.shards} shards are in {work.directory}"
    return type(error)(f"{error}; {there}, and the same job, started again, goes on")


def _begin(session: Session, asking: Any) -> Operation[tuple[Any, ModelInfo]]:
    """The request without its texts, and the model that answers now."""
    described = yield from model(session)
    asked = asking([[0]])
    known = yield from tokens.ids_of(asked.texts_of_tokens, "tokens")
    request, _ = asked.request(known, described.n_layer)
    if any(hook.positions.per_input for hook in request.hooks):
        raise InvalidArgument.of("positions", "got positions of each run on its own, expected the same of all texts")
    del request.inputs[0].token_ids[:]
    return request, described


def _job(request: Any, described: ModelInfo, corpus: Corpus, texts_per_shard: int, shuffle: int | None) -> Job:
    return Job(
        request=request,
        corpus_sha256=corpus.digest,
        texts=len(corpus),
        texts_per_shard=texts_per_shard,
        shuffle=shuffle,
        model=described.name,
        weights_sha256=described.weights_sha256,
        tokenizer_sha256=described.tokenizer_sha256,
        numerics=described.numerics,
    )


class _Work:
    """What is left of a job, and how it is done."""

    def __init__(self, job: Job, corpus: Corpus, directory: pathlib.Path, asking: Any, waiting: Patience) -> None:
        self.job, self.directory = job, directory
        self._corpus, self._asking, self._waiting = corpus, asking, waiting
        self._order = job.order()
        self._positions = _positions(job.request)

    def path(self, shard: int) -> pathlib.Path:
        return self.directory / f"shard-{shard:05}.safetensors"

    def there(self) -> list[int]:
        return [shard for shard in range(self.job.shards) if self.path(shard).exists()]

    def carry_out(self, session: Session, progress: bool) -> Operation[None]:
        """Makes the shards that are not there."""
        there = set(self.there())
        missing = [shard for shard in range(self.job.shards) if shard not in there]
        meter = Meter(self.job.texts, sum(len(self._texts(shard)) for shard in there), shown=progress)
        counts: dict[int, tuple[int, int]] = {}
        yield from describe(session)
        quiet = session.quiet()
        yield Together(
            [self._make(quiet, shard, counts) for shard in missing],
            _SHARDS_AT_ONCE,
            done=lambda place: meter.add(len(self._texts(missing[place])), *counts.pop(missing[place])),
        )

    def finish(self) -> Bulk:
        """Writes the index, of what the shards say."""
        found: list[dict[str, Any]] = []
        shapes: dict[str, Any] = {}
        skipped: dict[int, str] = {}
        for shard in range(self.job.shards):
            path = self.path(shard)
            header, described = storage.read_header(path)
            found.append({"file": path.name, "texts": described["texts"], "rows": described["rows"]})
            skipped |= {int(number): why for number, why in described["skipped"].items()}
            for name, array in header.items():
                shapes.setdefault(name, {"dtype": array["dtype"], "row": array["shape"][1:]})
        index = {"arrays": shapes, "shards": found, "skipped": skipped}
        storage.write_json(self.directory / INDEX, index)
        paths = tuple(self.path(shard) for shard in range(self.job.shards))
        rows, size = sum(each["rows"] for each in found), sum(path.stat().st_size for path in paths)
        return Bulk(self.directory, paths, self.job.texts, rows, size, skipped)

    def _texts(self, shard: int) -> list[int]:
        begin = shard * self.job.texts_per_shard
        return [int(number) for number in self._order[begin : begin + self.job.texts_per_shard]]

    def _make(self, session: Session, shard: int, counts: dict[int, tuple[int, int]]) -> Operation[None]:
        numbers = self._texts(shard)
        asked = self._asking([self._corpus[number] for number in numbers])
        names = {f"inputs[{place}]": f"corpus[{number}]" for place, number in enumerate(numbers)}
        result = yield from self._waiting.ask(lambda: renamed(carry_out(session, asked), names))
        self.job.check(result.provenance, self.directory)
        arrays = shards.arrays_of(result, numbers, self._positions)
        rows = len(arrays["token_ids"])
        if (order := self.job.rows_order(shard, rows)) is not None:
            arrays = {name: array[order] for name, array in arrays.items()}
        skipped = shards.skipped(result, numbers)
        description = {"texts": len(numbers), "rows": rows, "skipped": skipped}
        storage.write_arrays(self.path(shard), arrays, description)
        size = sum(array.nbytes for array in arrays.values())
        counts[shard] = sum(len(info.token_ids) for info in result.inputs), size


def _positions(request: Any) -> Any:
    """The positions that the selectors have in common; None for all. Differences show in the rows that come."""
    first = request.hooks[0]
    return first.positions if first.HasField("positions") else None
