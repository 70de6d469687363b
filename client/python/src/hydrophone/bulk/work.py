"""What is left of a job, and how it is done."""

from __future__ import annotations

import functools
import os
import pathlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

from hydrophone.bulk import shards, storage
from hydrophone.bulk.corpus import Corpus
from hydrophone.bulk.finished import INDEX, Bulk
from hydrophone.bulk.formats import Format
from hydrophone.bulk.job import Job
from hydrophone.bulk.meter import Meter
from hydrophone.bulk.part import Part
from hydrophone.bulk.patience import Patience
from hydrophone.client import Client, check_blocking
from hydrophone.connection.operation import Operation, Together
from hydrophone.errors import HydrophoneError, InvalidArgument
from hydrophone.files import whole_file
from hydrophone.operations import tokens
from hydrophone.operations.extract import carry_out, renamed
from hydrophone.operations.session import Session, describe, model
from hydrophone.requests import extraction
from hydrophone.requests.edits import Edit
from hydrophone.requests.effects import gives_scores
from hydrophone.requests.hooks import Hook, Hooks, as_hooks
from hydrophone.requests.runs import as_edits
from hydrophone.requests.values import Layers, Numbers, Positions
from hydrophone.results.records import ModelInfo

# Shards that are asked for at once, each in as many requests as the client has in flight: while one is written, the
# others keep the server busy.
_SHARDS_AT_ONCE = 2


def prepare(
    client: Client,
    corpus: Corpus,
    hooks: Hooks,
    out: str | os.PathLike[str],
    files: Format,
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
    part: Part | None = None,
) -> Work:
    """The job that hp.bulk describes, of the model that answers now. Writes nothing."""
    check_blocking(client)
    if texts_per_shard < 1:
        raise InvalidArgument.of("texts_per_shard", f"got {texts_per_shard}, expected at least 1")
    if shuffle is not None and not 0 <= shuffle < 1 << 32:
        raise InvalidArgument.of("shuffle", f"got {shuffle}, expected a seed from 0 to {(1 << 32) - 1}")
    chosen = as_hooks(hooks)
    _check_arrays(chosen)
    options: dict[str, Any] = {"layers": layers, "positions": positions, "heads": heads, "features": features}
    options |= {"dtype": dtype, "edits": as_edits(edits), "prepend_bos": prepend_bos}
    options |= {"literal_specials": literal_specials, "truncate": truncate}
    asking = functools.partial(extraction.extract, hooks=chosen, rows=True, **options)
    waiting = Patience(patience)
    request, described = client.run(waiting.ask(functools.partial(_request, client.session, asking)))
    job = Job(
        request=request,
        corpus_sha256=corpus.digest,
        texts=len(corpus),
        texts_per_shard=texts_per_shard,
        shuffle=shuffle,
        files=files.name,
        model=described.name,
        weights_sha256=described.weights_sha256,
        tokenizer_sha256=described.tokenizer_sha256,
        numerics=described.numerics,
    )
    directory = pathlib.Path(out)
    directory.mkdir(parents=True, exist_ok=True)
    asking = functools.partial(asking, skip_bad_inputs=skip_bad_inputs)
    return Work(job, corpus, directory, files, part, asking, waiting)


def _check_arrays(hooks: Sequence[str | Hook]) -> None:
    """Refuses what a shard has no place for: all but arrays."""
    for number, hook in enumerate(hooks):
        if isinstance(hook, str):
            continue
        for name, other in (("summary", hook.summary is not None), ("lens", gives_scores(hook))):
            if other:
                raise InvalidArgument.of(f"hooks[{number}].{name}", "got it in a job of arrays, expected none")
        if hook.view not in (None, "array", "floats"):
            raise InvalidArgument.of(f"hooks[{number}].view", f"got {hook.view!r}, expected array or floats")


def _request(session: Session, asking: Any) -> Operation[tuple[Any, ModelInfo]]:
    """The request without its texts, and the model that answers now."""
    described = yield from model(session)
    asked = asking([[0]])
    known = yield from tokens.ids_of(asked.texts_of_tokens, "tokens")
    request, _ = asked.request(known, described.n_layer)
    if any(hook.positions.per_input for hook in request.hooks):
        raise InvalidArgument.of("positions", "got positions of each run on its own, expected the same of all texts")
    del request.inputs[0].token_ids[:]
    return request, described


class Work:
    """A job in its directory, or a part of it."""

    def __init__(
        self,
        job: Job,
        corpus: Corpus,
        directory: pathlib.Path,
        files: Format,
        part: Part | None,
        asking: Any,
        waiting: Patience,
    ) -> None:
        self.job, self.directory, self.files, self.part = job, directory, files, part
        self._corpus, self._asking, self._waiting = corpus, asking, waiting
        self._order = job.order()
        self._positions = _positions(job.request)

    def alone(self) -> AbstractContextManager[None]:
        """While this lasts, no other process does the same."""
        return storage.alone(self.directory, self.part)

    def begin(self) -> None:
        """Notes the job in its directory. Refuses a directory that holds another one, or this one of another model."""
        self.job.begin(self.directory)

    @property
    def shards(self) -> range:
        """The numbers of the shards that are to be there at the end."""
        return self.part.of(self.job.shards) if self.part is not None else range(self.job.shards)

    def path(self, shard: int) -> pathlib.Path:
        return self.directory / f"shard-{shard:05}{self.files.suffix}"

    def missing(self) -> list[int]:
        return [shard for shard in self.shards if not self.path(shard).exists()]

    def meter(self, shown: bool) -> Meter:
        missing = set(self.missing())
        sizes = {shard: len(self.texts(shard)) for shard in self.shards}
        there = sum(size for shard, size in sizes.items() if shard not in missing)
        return Meter(sum(sizes.values()), there, shown=shown)

    def texts(self, shard: int) -> list[int]:
        """The numbers of a shard's texts."""
        begin = shard * self.job.texts_per_shard
        return [int(number) for number in self._order[begin : begin + self.job.texts_per_shard]]

    def carry_out(self, session: Session, progress: bool) -> Operation[None]:
        """Makes the shards that are not there."""
        missing, meter = self.missing(), self.meter(progress)
        counts: dict[int, tuple[int, int]] = {}
        yield from describe(session)
        quiet = session.quiet()
        yield Together(
            [self._make(quiet, shard, counts) for shard in missing],
            _SHARDS_AT_ONCE,
            done=lambda place: meter.add(len(self.texts(missing[place])), *counts.pop(missing[place])),
        )

    def _make(self, session: Session, shard: int, counts: dict[int, tuple[int, int]]) -> Operation[None]:
        counts[shard] = yield from self.make(session, shard)

    def make(self, session: Session, shard: int) -> Operation[tuple[int, int]]:
        """Writes a shard; gives the tokens that were run, and the bytes of the arrays."""
        numbers = self.texts(shard)
        asked = self._asking([self._corpus[number] for number in numbers])
        names = {f"inputs[{place}]": f"corpus[{number}]" for place, number in enumerate(numbers)} | {"rows": "hooks"}
        result = yield from self._waiting.ask(lambda: renamed(carry_out(session, asked), names))
        self.job.check(result.provenance, self.directory)
        arrays = shards.arrays_of(result, numbers, self._positions)
        rows = len(arrays["token_ids"])
        if (order := self.job.rows_order(shard, rows)) is not None:
            arrays = {name: array[order] for name, array in arrays.items()}
        skipped = shards.skipped(result, numbers)
        description = {"texts": len(numbers), "rows": rows, "skipped": skipped}
        self.files.write(self.path(shard), arrays, description)
        size = sum(array.nbytes for array in arrays.values())
        return sum(len(info.token_ids) for info in result.inputs), size

    def finish(self) -> Bulk:
        """What was made; writes the index once all shards are there."""
        if all(self.path(shard).exists() for shard in range(self.job.shards)):
            self._write_index()
        found = list(self._read(self.shards))
        skipped = {number: why for _, described in found for number, why in _reasons(described).items()}
        texts, rows = (sum(described[each] for _, described in found) for each in ("texts", "rows"))
        paths = tuple(self.path(shard) for shard in self.shards)
        size = sum(path.stat().st_size for path in paths)
        return Bulk(self.directory, paths, texts, rows, size, skipped)

    def _write_index(self) -> None:
        every = range(self.job.shards)
        names = [self.path(shard).name for shard in every]
        found: list[dict[str, Any]] = []
        shapes: dict[str, Any] = {}
        skipped: dict[int, str] = {}
        for file, (header, described) in zip(names, self._read(every), strict=True):
            found.append({"file": file, "texts": described["texts"], "rows": described["rows"]})
            skipped |= _reasons(described)
            for name, array in header.items():
                shapes.setdefault(name, {"dtype": array["dtype"], "row": array["shape"][1:]})
        self.files.finish(self.directory, names, self.job)
        whole_file.write_json(self.directory / INDEX, {"arrays": shapes, "shards": found, "skipped": skipped})

    def _read(self, numbers: Iterable[int]) -> Iterator[tuple[dict[str, Any], Any]]:
        return (self.files.read_header(self.path(shard)) for shard in numbers)

    def with_state(self, error: HydrophoneError) -> HydrophoneError:
        """The error, which says how far the job is."""
        there = len(self.shards) - len(self.missing())
        state = f"{there} of {len(self.shards)} shards are in {self.directory}"
        return type(error)(f"{error}; {state}, and the same job, started again, goes on")


def _positions(request: Any) -> Any:
    """The positions that the selectors have in common; None for all. Differences show in the rows that come."""
    first = request.hooks[0]
    return first.positions if first.HasField("positions") else None


def _reasons(described: Any) -> dict[int, str]:
    """Why texts were skipped, by their numbers, which JSON has as text."""
    return {int(number): why for number, why in described["skipped"].items()}
