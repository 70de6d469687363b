"""Rows of a corpus's activations, asked for in the background."""

from __future__ import annotations

import collections
import concurrent.futures
import contextlib
import dataclasses
import itertools
import threading
from collections.abc import Callable, Generator, Iterator
from typing import TypeVar

import numpy as np

from hydrophone.activations import windows
from hydrophone.activations.pipe import Pipe
from hydrophone.activations.point import Point
from hydrophone.activations.shuffle import shuffled
from hydrophone.bulk.corpus import Corpus
from hydrophone.bulk.patience import Patience
from hydrophone.client import Client
from hydrophone.connection.blocking import OpenCalls
from hydrophone.connection.operation import Operation
from hydrophone.wire.tensors import Array

T = TypeVar("T")

# The tokens of one request. Several are under way while the trainer works, and their answers are in memory.
_TOKENS_PER_REQUEST = 4096

# Batches that are ready before the trainer asks for them.
_BATCHES_AHEAD = 4


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is fed: `point`'s rows of windows of `context` tokens; the other fields are the arguments of
    hp.activations."""

    point: Point
    corpus: Corpus
    context: int
    bos: int | None
    prepend_bos: bool
    batch_size: int
    shuffle_buffer: int
    seed: int


class Feed:
    """A thread that fills `pipe` with batches, float32 [batch_size, width], for ever: when the corpus ends, it begins
    again in another order. `skipped` has the numbers of texts without tokens, `epoch` counts from 0."""

    def __init__(self, client: Client, plan: Plan, patience: float) -> None:
        self.pipe: Pipe[Array] = Pipe(_BATCHES_AHEAD)
        self.skipped: set[int] = set()
        self.epoch = 0
        self._client, self._plan = client, plan
        self._session = client.session.quiet()
        self._waiting = Patience(patience, sleep=self.pipe.wait_closed)
        self._calls = OpenCalls()
        self.thread = threading.Thread(target=self._work, name="hydrophone-activations", daemon=True)
        self.thread.start()

    def stop(self) -> None:
        """Cancels what is under way, whereupon the thread ends."""
        self.pipe.close()
        self._calls.cancel()

    def _work(self) -> None:
        plan = self._plan
        try:
            with contextlib.closing(self._rows()) as rows:
                width = plan.point.width
                for batch in shuffled(rows, width, plan.batch_size, plan.shuffle_buffer, plan.seed):
                    if not self.pipe.put(batch):
                        break
        except BaseException as error:  # the taker's to handle, whatever it is
            self.pipe.fail(error)

    def _rows(self) -> Generator[Array, None, None]:
        """The answers in order; the next requests are under way meanwhile."""
        at_once = self._session.in_flight
        under_way: collections.deque[concurrent.futures.Future[Array]] = collections.deque()
        pool = concurrent.futures.ThreadPoolExecutor(at_once, thread_name_prefix="hydrophone-activations")
        try:
            for asked in self._requests():
                under_way.append(pool.submit(self._ask, asked))
                if len(under_way) > at_once:
                    yield under_way.popleft().result()
        finally:
            self._calls.cancel()
            pool.shutdown(cancel_futures=True)

    def _requests(self) -> Iterator[list[list[int]]]:
        """The windows of one request after the other. A request ends where the corpus begins again."""
        count = max(1, _TOKENS_PER_REQUEST // self._plan.context)
        for self.epoch in itertools.count():
            windows_left = self._windows(self.epoch)
            asked = list(itertools.islice(windows_left, count))
            if not asked:
                raise windows.too_small(self._plan.corpus, self._plan.context)
            while asked:
                yield asked
                asked = list(itertools.islice(windows_left, count))

    def _windows(self, epoch: int) -> Iterator[list[int]]:
        plan = self._plan
        order = np.random.RandomState([plan.seed, epoch]).permutation(len(plan.corpus))
        texts = windows.token_ids(self._session, self._patiently, plan.corpus, map(int, order), self.skipped)
        return windows.packed(texts, plan.context, plan.bos, plan.prepend_bos)

    def _ask(self, asked: list[list[int]]) -> Array:
        """float32 [rows of all windows, width]."""
        return self._patiently(lambda: self._plan.point.rows(self._session, asked))

    def _patiently(self, operation: Callable[[], Operation[T]]) -> T:
        return self._client.driver.run(self._waiting.ask(operation), self._calls)
