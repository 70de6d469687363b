"""hp.activations: what comes, in which order, and what goes wrong."""

import contextlib
import gc
import json
import threading

import grpc
import numpy as np
import pytest
import torch
from python_client import hp
from python_fakes import ARRAY, MODEL, FakeServer, answer, header, input_info, refuse

from hydrophone.activations import windows
from hydrophone.proto import v1

TEXTS = [f"Text number {number} " + "and more " * (number % 9) for number in range(60)]
SMALL = {"batch_size": 16, "shuffle_buffer": 64, "context": 8}


@pytest.fixture(scope="module")
def ask(server):
    with hp.Client(server.address, progress=False) as client:
        yield client


def feed(client, corpus=TEXTS, hook="resid_post", layer=6, **options):
    return hp.activations(client, corpus, hook, layer, **{**SMALL, **options})


def take(batches, count):
    with batches:
        return torch.cat([next(batches) for _ in range(count)])


def rows_of(client, corpus, hook, **options):
    """The rows of all windows of a corpus, in order."""
    ids = [info.token_ids for info in client.tokenize(corpus)]
    made = list(windows.packed(ids, 8, client.model().bos_token_id, True))
    values = client.extract(made, hook, layers=6, rows=True, **options)[hook]
    return values.reshape(len(values), -1)


@pytest.mark.parametrize(
    "hook, positions", [("resid_post", None), ("attn.hook_z", slice(1, None)), ("mlp.hook_post", "last")]
)
def test_batches_hold_the_rows_that_extract_gives(ask, hook, positions):
    first_epoch = [TEXTS[number] for number in np.random.RandomState([0, 0]).permutation(len(TEXTS))]
    expected = rows_of(ask, first_epoch, hook, positions=positions)
    one_epoch = len(expected)
    batches = feed(ask, hook=hook, positions=positions, batch_size=one_epoch, shuffle_buffer=one_epoch)
    assert batches.width == expected.shape[1]
    got = take(batches, 1)
    assert got.dtype == torch.float32 and got.device.type == "cpu" and not got.requires_grad
    assert one_epoch > 20 and not np.array_equal(got.numpy(), expected)
    assert sorted(row.tobytes() for row in got.numpy()) == sorted(row.tobytes() for row in expected)


def test_a_seed_repeats_and_another_differs(ask):
    one, again, other = (take(feed(ask, seed=seed), 40) for seed in (1, 1, 2))
    assert torch.equal(one, again) and not torch.equal(one, other)


def test_the_requests_in_flight_do_not_change_what_comes(ask, server):
    with hp.Client(server.address, in_flight=1, progress=False) as alone:
        assert torch.equal(take(feed(ask), 30), take(feed(alone), 30))


def test_a_corpus_that_ends_begins_again_in_another_order(ask):
    with feed(ask, TEXTS[:12]) as batches:
        for _ in range(40):
            next(batches)
        assert batches.epoch > 1


def test_a_file_of_lines_without_some_texts(ask, tmp_path):
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text("\n".join(map(json.dumps, [*TEXTS[:20], "", *TEXTS[20:]])))
    with feed(ask, corpus) as batches:
        assert next(batches).shape == (16, 64)
        for _ in range(30):
            next(batches)
        assert batches.skipped == {20}


def test_half_precision_on_the_wire_comes_widened(ask):
    exact, half = take(feed(ask), 4), take(feed(ask, dtype="float16"), 4)
    assert half.dtype == torch.float32 and torch.equal(half, exact.half().float()) and not torch.equal(half, exact)


def test_the_time_spent_waiting_is_said(ask):
    with feed(ask) as batches:
        for _ in range(10):
            next(batches)
        assert batches.first_wait > 0 and 0 <= batches.waiting_share <= 1 and batches.batches == 10
        assert f"10 batches of blocks.6.hook_resid_post [16, 64], {batches.waiting_share:.1%} of the time" in repr(
            batches
        )


@pytest.mark.parametrize(
    "argument, options",
    [
        ("hook", {"hook": "no such"}),
        ("hook", {"hook": ["resid_pre", "resid_post"]}),
        ("hook", {"layer": None}),
        ("hook", {"hook": "attn.hook_pattern"}),
        ("layer", {"layer": 99}),
        ("layer", {"hook": "blocks.6.hook_resid_post"}),
        ("batch_size", {"batch_size": 0}),
        ("shuffle_buffer", {"shuffle_buffer": 15}),
        ("context", {"context": 1}),
        ("context", {"context": 9999}),
        ("positions", {"positions": slice(9, None)}),
        ("positions", {"positions": hp.per_run(0)}),
        ("dtype", {"dtype": "float8"}),
        ("seed", {"seed": -1}),
        ("corpus", {"corpus": []}),
        ("corpus", {"corpus": "one text"}),
    ],
)
def test_errors_of_a_feed_name_the_argument(ask, argument, options):
    with pytest.raises(hp.InvalidArgument) as caught:
        feed(ask, **options)
    assert caught.value.argument == argument, caught.value.violations


def test_a_corpus_without_a_window_is_refused_where_a_batch_is_asked_for(ask):
    with feed(ask, ["a", "b"]) as batches:
        for _ in range(2):
            with pytest.raises(hp.InvalidArgument, match="corpus: got 2 texts that fill no window of 8 tokens"):
                next(batches)


def tokenize(request, context):
    return v1.TokenizeResponse(inputs=[v1.TokenizedInput(token_ids=[1, 2]) for _ in request.inputs])


class Answers:
    """Extract answers one after the other, the last one again and again: functions, or messages."""

    def __init__(self, *answers):
        self._answers = list(answers)

    def __call__(self, request, context):
        answering = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        yield from answering(request, context) if callable(answering) else answering


def fail(request, context):
    refuse(context, grpc.StatusCode.INTERNAL, "a fault")
    yield


@contextlib.contextmanager
def a_client(*answers):
    """A client of a server that gives these answers, after one that says what the hook point has."""
    with FakeServer(Answers(answer(ARRAY), *answers), tokenize, MODEL) as fake, hp.Client(fake.address) as client:
        yield client


@contextlib.contextmanager
def of_fake(*answers, **options):
    with a_client(*answers) as client:
        yield small(client, **options)


def small(client, **options):
    return hp.activations(client, ["a"] * 4, "attn.c_proj", 0, 2, 4, 2, **{"patience": 5.0, **options})


def test_an_error_of_the_server_is_raised_where_a_batch_is_asked_for_and_ends_the_thread():
    with of_fake(fail) as batches:
        for _ in range(2):
            with pytest.raises(hp.ServerError, match="a fault"):
                next(batches)
        batches._feed.thread.join(30)
        assert not batches._feed.thread.is_alive()


CUT = [header(1, ARRAY.nbytes)]


def test_a_damaged_answer_is_asked_for_again_while_there_is_patience():
    with of_fake(CUT, answer(ARRAY)) as batches, batches:
        assert next(batches).shape == (2, 3)
    with of_fake(CUT, patience=0.0) as batches, batches, pytest.raises(hp.DamagedStream, match="tried for 0 s"):
        next(batches)


def test_another_model_in_between_is_refused():
    changed = answer(ARRAY)
    changed[0].header.provenance.weights_sha256 = "other"
    with of_fake(changed) as batches, batches, pytest.raises(hp.Precondition, match="weights_sha256 is other"):
        next(batches)


class Unfinished:
    """Extract answers that begin and do not end. `cancelled` has for each whether its caller ended it."""

    def __init__(self):
        self.begun, self.cancelled = threading.Event(), []

    def __call__(self, request, context):
        ended = threading.Event()
        context.add_callback(ended.set)
        yield header(1, ARRAY.nbytes)
        yield input_info()
        self.begun.set()
        self.cancelled.append(ended.wait(10))


@pytest.mark.parametrize("ending", ["close", "drop"])
def test_an_iterator_that_ends_cancels_what_is_under_way(ending):
    unfinished = Unfinished()
    with a_client(unfinished) as client:
        batches = small(client)
        thread = batches._feed.thread
        assert unfinished.begun.wait(30)
        if ending == "close":
            batches.close()
            with pytest.raises(StopIteration):
                next(batches)
        else:
            del batches
            gc.collect()
        thread.join(60)
        assert not thread.is_alive()
    assert unfinished.cancelled and all(unfinished.cancelled)


def test_a_full_pipe_ends_too(ask):
    batches = feed(ask)
    next(batches)
    thread = batches._feed.thread
    batches.close()
    assert not thread.is_alive()
