"""The bits of a run do not depend on its neighbours, on the threads, or on what else is captured.

Concurrent random mixes of inputs and points against solo runs of all points, on received bytes.
"""

import concurrent.futures
import contextlib
import random
import threading

import pytest
from conftest import DEFAULT_MODEL, Server

PLAIN = [
    *("hidden_states", "attn.c_proj", "mlp.c_proj", "hook_resid_mid", "hook_resid_post", "ln_1", "ln_2"),
    *("hook_embed", "ln_final.hook_out", "attn.hook_q", "attn.hook_k", "attn.hook_v", "attn.hook_z"),
    *("mlp.hook_pre", "mlp.hook_post", "ln1.hook_scale", "ln2.hook_normalized"),
]
SELECTORS = [
    *({"hook_point": name} for name in PLAIN),
    {"hook_point": "attn.hook_pattern", "layers": [0, -1]},
    {"hook_point": "attn.hook_attn_scores", "layers": [-1]},
    {"hook_point": "attn.hook_result", "layers": [-1]},
    {"hook_point": "logits", "positions": {"slice": "-1:"}},
]
CHECKPOINTS = {
    "default": None,
    "n_inner 100": ["--n-layer", "3", "--n-embd", "60", "--n-head", "5", "--n-inner", "100", "--n-positions", "300"],
    "narrow": ["--n-layer", "2", "--n-embd", "20", "--n-head", "1", "--n-inner", "260", "--n-positions", "300"],
}
SEQUENCES = 14
REQUESTS = 60
CALLERS = 8


def sequences():
    generator = random.Random(3)
    lengths = [1, 2, 3, 4, 16, 17, 33, 64, 100, 127, 128, 129, 200, 300][:SEQUENCES]
    return [[generator.randrange(50257) for _ in range(length)] for length in lengths]


def captures(client, api, token_lists, selectors=SELECTORS):
    """The bytes of every tensor, by input."""
    inputs = [api.pb.Input(token_ids=ids) for ids in token_lists]
    extraction = client.extract(inputs=inputs, hooks=[api.pb.HookSelector(**selector) for selector in selectors])
    by_run = extraction.by_run()
    return [{name: array.tobytes() for name, array in by_run[run].items()} for run in range(len(inputs))], extraction


@contextlib.contextmanager
def busy_engine(client, api):
    """Meanwhile another caller computes much and captures little, so that requests that come have to wait together."""
    over = threading.Event()
    long = [[token] * 300 for token in range(8)]

    def keep_busy():
        while not over.is_set():
            captures(client, api, long, [{"hook_point": "ln_final.hook_scale", "positions": {"slice": "-1:"}}])

    with concurrent.futures.ThreadPoolExecutor(1) as executor:
        neighbour = executor.submit(keep_busy)
        try:
            yield
        finally:
            over.set()
        neighbour.result()


@pytest.mark.parametrize("checkpoint", CHECKPOINTS)
def test_a_run_has_the_same_bits_in_any_company_and_on_any_number_of_threads(checkpoint, api, random_checkpoint):
    arguments = CHECKPOINTS[checkpoint]
    directory = DEFAULT_MODEL if arguments is None else random_checkpoint(checkpoint.replace(" ", "_"), *arguments)
    texts = sequences()
    with Server(directory, ["--threads=1"]) as server, api.connect(server.address) as client:
        assert client.model().compute.batch_independent
        numerics = client.model().compute.numerics
        alone = [captures(client, api, [ids])[0][0] for ids in texts]
    for threads in (1, 2, 3, 8):
        with Server(directory, [f"--threads={threads}"]) as server, api.connect(server.address) as client:
            compute = client.model().compute
            assert (compute.numerics, compute.threads) == (numerics, threads)
            generator = random.Random(threads)
            mixes = [generator.choices(range(len(texts)), k=generator.randint(1, 6)) for _ in range(REQUESTS)]
            points = [generator.sample(SELECTORS, k=generator.randint(1, 9)) for _ in range(REQUESTS)]
            shared = 0
            with busy_engine(client, api), concurrent.futures.ThreadPoolExecutor(CALLERS) as callers:
                results = callers.map(
                    lambda mix, some: captures(client, api, [texts[i] for i in mix], some), mixes, points
                )
                for mix, (runs, extraction) in zip(mixes, results, strict=True):
                    shared += extraction.trailer.batch_tokens > extraction.header.tokens
                    for index, run in zip(mix, runs, strict=True):
                        differing = [name for name in run if run[name] != alone[index][name]]
                        assert not differing, (threads, len(texts[index]), differing)
            assert shared > 0, "no two requests shared a batch: the test showed nothing"
