"""Continuations of a remote bridge are those of TransformerLens's own."""

import pytest
import torch
from bridges import local_bridge, remote_bridge

TEXT = "Once upon a time"
TEXTS = ["Once upon a time", "The capital of France is the", "Hello"]


@pytest.fixture(scope="module")
def local():
    with local_bridge() as bridge:
        yield bridge


@pytest.fixture(scope="module")
def remote(server):
    with remote_bridge(server) as bridge:
        yield bridge


def both(local, remote, *arguments, seed=0, **options):
    made = []
    for bridge in (local, remote):
        torch.manual_seed(seed)
        made.append(bridge.generate(*arguments, verbose=False, **options))
    return made


CASES = {
    "greedy": (TEXT, {"do_sample": False}),
    "greedy, several": (TEXTS, {"do_sample": False}),
    "greedy beyond the end of a text": (TEXT, {"do_sample": False, "stop_at_eos": False}),
    "greedy, as tokens": (TEXT, {"do_sample": False, "return_type": "tokens"}),
    "greedy until a token": (TEXT, {"do_sample": False, "eos_token_id": 11, "return_type": "tokens"}),
    "greedy until a token, several": (TEXTS, {"do_sample": False, "eos_token_id": [11, 13], "return_type": "tokens"}),
    "greedy without repeating": (TEXT, {"do_sample": False, "repetition_penalty": 1.5}),
    "without BOS": (TEXT, {"do_sample": False, "prepend_bos": False}),
    "sampled": (TEXT, {}),
    "sampled, several": (TEXTS, {"temperature": 0.7}),
    "sampled of the first": (TEXT, {"top_k": 5, "freq_penalty": 1.0}),
    "sampled of a share": (TEXTS, {"top_p": 0.8}),
}


@pytest.mark.parametrize("case", CASES)
def test_a_continuation_is_that_of_the_local_bridge(local, remote, case):
    given, options = CASES[case]
    theirs, ours = both(local, remote, given, 6, **options)
    assert torch.equal(ours, theirs) if isinstance(theirs, torch.Tensor) else ours == theirs


def test_tokens_and_a_mask_of_their_padding_are_continued(local, remote):
    tokens, mask = remote.tokens_and_mask(TEXTS, padding_side="left")
    theirs, ours = both(local, remote, tokens, 5, do_sample=False, attention_mask=mask)
    assert torch.equal(ours, theirs) and ours.shape == (3, tokens.shape[1] + 5)


def test_declared_edits_are_made_while_generating(local, remote):
    name, direction = "blocks.6.hook_resid_pre", torch.linspace(-3, 3, 64)
    plain = remote.generate(TEXT, 6, do_sample=False)
    with local.hooks(fwd_hooks=[(name, lambda value, hook: value + direction)]):
        theirs = local.generate(TEXT, 6, do_sample=False, verbose=False)
    ours = remote.generate(TEXT, 6, do_sample=False, verbose=False, intervene={name: {"op": "add", "value": direction}})
    assert ours == theirs != plain


def test_a_greedy_continuation_is_one_call(remote, monkeypatch):
    calls, extract = [], remote.driver.client.extract

    def record(*arguments, **options):
        calls.append(arguments)
        return extract(*arguments, **options)

    monkeypatch.setattr(remote.driver.client, "extract", record)
    remote.generate(TEXTS, 4, do_sample=False)
    assert len(calls) == 1


def test_sampling_refuses_what_transformer_lens_refuses(remote):
    with pytest.raises(ValueError, match="freq_penalty"):
        remote.generate(TEXT, 2, do_sample=False, freq_penalty=-1.0)
