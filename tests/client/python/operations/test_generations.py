"""generate: what the server continues, and what the client does token by token, with edits."""

import asyncio

import numpy as np
import pytest
from conftest import DEFAULT_MODEL, Server
from python_client import hp

PROMPTS = ["Plants make fantastic pets", "Hello", "ROMEO:\nO, my"]
VECTOR = np.random.default_rng(0).normal(size=64).astype(np.float32) * 3
NOTHING = hp.add("resid_pre", 0.0, layers=6)


@pytest.fixture(scope="module")
def ask(server):
    with hp.Client(server.address, progress=False) as client:
        yield client


def by_hand(ask, prompt, count, edits):
    """The greedy continuation, each token from the whole logits of a call of its own."""
    ids = list(ask.tokenize(prompt)[0].token_ids)
    before = len(ids)
    for _ in range(count):
        ids.append(int(ask.extract(ids, "logits", positions="last", edits=edits)["logits"].argmax()))
    return tuple(ids[before:])


@pytest.mark.parametrize("positions", [None, "last"])
def test_edits_are_made_in_every_step(ask, positions):
    steer = hp.add("resid_pre", VECTOR, layers=6, positions=positions)
    steered = ask.generate(PROMPTS, 5, edits=steer)
    assert [each.token_ids for each in steered] == [by_hand(ask, prompt, 5, steer) for prompt in PROMPTS]
    assert [each.token_ids for each in steered] != [each.token_ids for each in ask.generate(PROMPTS, 5)]
    assert steered[0].text == ask.detokenize([steered[0].token_ids])[0]


def test_an_edit_that_changes_nothing_gives_the_servers_own_continuation(ask):
    assert ask.generate(PROMPTS, 6, edits=NOTHING) == ask.generate(PROMPTS, 6)
    assert ask.generate(PROMPTS, 0, edits=NOTHING) == ask.generate(PROMPTS, 0)


def test_the_end_of_text_token_ends_one_continuation_and_not_the_others(tmp_path):
    # A model whose texts end with a comma, which it writes often.
    for file in DEFAULT_MODEL.iterdir():
        (tmp_path / file.name).symlink_to(file)
    (tmp_path / "generation_config.json").write_text('{"eos_token_id": 11}')
    with Server(model=tmp_path) as server, hp.Client(server.address, progress=False) as ask:
        steered = ask.generate(PROMPTS, 6, edits=NOTHING)
        assert steered == ask.generate(PROMPTS, 6)
    assert {len(each.token_ids) for each in steered} > {6}
    assert all(11 not in each.token_ids[:-1] for each in steered)


def test_asyncio_generates_with_edits_too(ask):
    async def generate():
        async with hp.aio.Client(ask.address, progress=False) as client:
            return await client.generate(PROMPTS[0], 3, edits=hp.zero("mlp_out", layers=5))

    assert asyncio.run(generate()) == ask.generate(PROMPTS[0], 3, edits=hp.zero("mlp_out", layers=5))


@pytest.mark.parametrize(
    "argument, call",
    [
        ("prompts[1]", {"prompts": ["Hello", ""]}),
        ("prompts[0][1]", {"prompts": [[1, 99999]]}),
        ("max_new_tokens", {"max_new_tokens": 1024}),
        ("max_new_tokens", {"max_new_tokens": -1}),
        ("edits[1].hook", {"edits": [NOTHING, hp.zero("no_such_place", layers=0)]}),
        ("edits[0]", {"edits": hp.patch("resid_pre", 0, layers=6)}),
    ],
)
@pytest.mark.parametrize("edits", [None, NOTHING], ids=["server", "edits"])
def test_errors_of_generate_name_the_argument(ask, argument, call, edits):
    with pytest.raises(hp.InvalidArgument) as caught:
        ask.generate(**{"prompts": "Hello", "edits": edits, **call})
    assert caught.value.argument == argument, caught.value.violations
