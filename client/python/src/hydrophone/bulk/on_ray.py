"""hp.bulk_on_ray: hp.bulk's job as a Ray Data pipeline, on as many machines as the cluster has."""

from __future__ import annotations

import dataclasses
import os
import pickle
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from hydrophone.bulk import formats
from hydrophone.bulk.corpus import as_corpus
from hydrophone.bulk.finished import Bulk
from hydrophone.bulk.job import FILE
from hydrophone.bulk.part import Part
from hydrophone.bulk.patience import RETRIED
from hydrophone.bulk.work import Work, prepare
from hydrophone.client import Client
from hydrophone.errors import DiskFull, HydrophoneError, InvalidArgument
from hydrophone.extras import need
from hydrophone.requests.hooks import Hooks
from hydrophone.requests.inputs import Input


def bulk_on_ray(
    address: str | Sequence[str] | None,
    corpus: Iterable[Input] | os.PathLike[str],
    hooks: Hooks,
    out: str | os.PathLike[str],
    *,
    workers: int = 2,
    cpus: float = 1.0,
    connect: Mapping[str, Any] | None = None,
    format: str = "safetensors",
    part: tuple[int, int] | None = None,
    progress: bool = True,
    **options: Any,
) -> Bulk:
    """hp.bulk's job, whose shards are made by `workers` Ray actors of `cpus` processors each: the same directory, byte
    for byte, and killed and called again it goes on as hp.bulk does, or hp.bulk goes on with it.

    Each actor has an hp.Client of `address`, one server or several that take requests in turn, with the options
    `connect` ({"token_file": ..., "in_flight": 8}). `out`, and a corpus that is a file, are on a file system that all
    machines share; inputs in memory are sent to each actor. The other arguments are hp.bulk's, and the errors too; the
    job ends with the first one. Ray is initialized as it is by its environment (RAY_ADDRESS), unless it is already.

    Needs hydrophone[ray].

        ray.init("auto")
        hp.bulk_on_ray(["lab1:50051", "lab2:50051"], pathlib.Path("corpus.jsonl"), "resid_post", "out", layers=6)
    """
    data = need("ray.data", "ray")
    if workers < 1:
        raise InvalidArgument.of("workers", f"got {workers}, expected at least 1")
    given = corpus if isinstance(corpus, os.PathLike) else list(corpus) if not isinstance(corpus, str) else corpus
    connected = {"progress": False, **(connect or {})}
    asked = _Asked(address, connected, given, hooks, os.path.abspath(out), format, options)
    with asked.client() as client:
        work = asked.prepare(client, Part(*part) if part is not None else None)
        with work.alone():
            work.begin()
            meter = work.meter(progress)
            try:
                for made in _make(data, asked, work.missing(), workers, cpus):
                    meter.add(made["texts"], made["tokens"], made["bytes"])
            except (DiskFull, *RETRIED) as error:
                raise work.with_state(error) from error
            return work.finish()


@dataclasses.dataclass(frozen=True)
class _Asked:
    """A call, as it is sent to the actors."""

    address: str | Sequence[str] | None
    connect: Mapping[str, Any]
    corpus: Any
    hooks: Hooks
    out: str
    format: str
    options: Mapping[str, Any]

    def client(self) -> Client:
        return Client(self.address, **self.connect)

    def prepare(self, client: Client, part: Part | None = None) -> Work:
        files = formats.named(self.format)
        return prepare(client, as_corpus(self.corpus), self.hooks, self.out, files, part=part, **self.options)


def _make(data: Any, asked: _Asked, shards: Sequence[int], workers: int, cpus: float) -> Iterator[dict[str, Any]]:
    """What each shard that was made has, as they are made."""
    if not shards:
        return
    # A block for each shard: a shard is what one actor makes at a time.
    numbers = data.from_items([{"shard": shard} for shard in shards], override_num_blocks=len(shards))
    at_once = min(workers, len(shards))
    made = numbers.map(_Actor, fn_constructor_args=(asked,), concurrency=at_once, num_cpus=cpus)
    for row in made.iter_rows():
        if row["error"]:
            raise pickle.loads(row["error"])
        yield row


class _Actor:
    """Makes shards. An error goes back as a row, so that it comes out as it is."""

    def __init__(self, asked: _Asked) -> None:
        self._asked = asked
        self._client = asked.client()
        self._work: Work | None = None

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        shard = int(row["shard"])
        try:
            work = self._work = self._work or self._prepare()
            tokens, size = self._client.run(work.make(self._client.session, shard))
        except HydrophoneError as error:
            return {"shard": shard, "texts": 0, "tokens": 0, "bytes": 0, "error": pickle.dumps(error)}
        return {"shard": shard, "texts": len(work.texts(shard)), "tokens": tokens, "bytes": size, "error": b""}

    def _prepare(self) -> Work:
        """The same work as its caller's, which has begun it."""
        work = self._asked.prepare(self._client)
        if not (work.directory / FILE).exists():
            raise InvalidArgument.of(
                "out", f"{work.directory} is not the same on all machines, expected one they share"
            )
        work.begin()
        return work
