"""What a remote bridge does with batches, losses, hook functions and texts, beside TransformerLens's own."""

import pytest
import torch
from bridges import TOLERANCE, local_bridge, remote_bridge, share
from conftest import DEFAULT_MODEL, Server
from python_client import hp

TEXT = "Plants make fantastic pets"
TEXTS = ["Plants make", "The capital of France is", "Hello<|endoftext|>"]
NAMES = ["hook_embed", "blocks.2.hook_resid_post", "blocks.2.attn.hook_z", "blocks.2.attn.hook_pattern"]
STREAM, OUT = "blocks.3.hook_resid_pre", "blocks.3.mlp.hook_out"


@pytest.fixture(scope="module")
def local():
    with local_bridge() as bridge:
        yield bridge


@pytest.fixture(scope="module")
def remote(server):
    with remote_bridge(server) as bridge:
        yield bridge


@pytest.fixture
def sent(remote, monkeypatch):
    """The rows of tokens that go to the server."""
    rows, extract = [], remote.driver.client.extract

    def record(inputs, *arguments, **options):
        rows.extend(list(map(int, row)) for row in inputs)
        return extract(inputs, *arguments, **options)

    monkeypatch.setattr(remote.driver.client, "extract", record)
    return rows


def test_losses_are_those_of_the_local_bridge(local, remote):
    tokens = local.to_tokens(TEXT)
    labels = tokens.clone()
    labels[:, :3] = -100
    assert share(remote(tokens, "loss"), local(tokens, "loss")) < TOLERANCE
    for options in ({}, {"loss_per_token": True}, {"labels": labels}):
        assert (
            share(remote(TEXT, return_type="loss", **options), local(TEXT, return_type="loss", **options)) < TOLERANCE
        )
    (logits, loss), (_, theirs) = (bridge(tokens, return_type="both") for bridge in (remote, local))
    assert share(loss, theirs) < TOLERANCE and logits.shape == (*tokens.shape, remote.cfg.d_vocab)


@pytest.mark.parametrize("side", ["right", "left"])
def test_ragged_batches_go_unpadded_and_come_back_padded(local, remote, sent, side):
    tokens, mask = remote.tokens_and_mask(TEXTS, padding_side=side)
    assert torch.equal(tokens, local.to_tokens(TEXTS, padding_side=side))
    (logits, theirs), (made, ours) = (
        bridge.run_with_cache(TEXTS, padding_side=side, names_filter=NAMES) for bridge in (local, remote)
    )
    assert sent == [row[kept.bool()].tolist() for row, kept in zip(tokens, mask, strict=True)]
    assert [len(row) for row in sent] == [4, 6, 3], "the third text's own last token is no padding"
    for row, kept in enumerate(mask.bool()):
        assert share(made[row, kept], logits[row, kept]) <= TOLERANCE and bool(torch.isneginf(made[row, ~kept]).all())
        for name in NAMES:
            got, expected = ours[name][row], theirs[name][row]
            if name.endswith("hook_pattern"):
                got, expected, rest = got[:, kept][..., kept], expected[:, kept][..., kept], got[:, ~kept]
            else:
                got, expected, rest = got[kept], expected[kept], got[~kept]
            assert share(got, expected) <= TOLERANCE and not rest.any(), name
    theirs = local(tokens, attention_mask=mask, return_type="loss")
    assert share(remote(TEXTS, padding_side=side, return_type="loss"), theirs) < TOLERANCE
    assert share(remote(tokens, attention_mask=mask, return_type="loss"), theirs) < TOLERANCE


def test_padding_is_as_the_tokenizer_has_it(local, remote):
    assert remote.tokenizer.padding_side == local.tokenizer.padding_side == "right"
    assert torch.equal(remote.to_tokens(TEXTS), local.to_tokens(TEXTS))
    ragged = [[5, 6, 7], [8]]
    assert remote(ragged).shape == (2, 3, remote.cfg.d_vocab) and bool(torch.isneginf(remote(ragged)[1, 1:]).all())


def test_texts_become_tokens_as_in_the_local_bridge(local, remote):
    for bos in (None, True, False):
        for given in (TEXT, TEXTS, [TEXT]):
            assert torch.equal(remote.to_tokens(given, prepend_bos=bos), local.to_tokens(given, prepend_bos=bos))
    long = " word" * 1100
    for truncate in (True, False):
        assert torch.equal(remote.to_tokens(long, truncate=truncate), local.to_tokens(long, truncate=truncate))
    assert remote.to_str_tokens(TEXT) == local.to_str_tokens(TEXT)
    tokens = local.to_tokens(TEXTS)
    assert remote.to_string(tokens) == local.to_string(tokens) and remote.to_string(tokens[1]) == local.to_string(
        tokens[1]
    )
    assert remote.to_single_token(" Paris") == local.to_single_token(" Paris")
    assert remote.to_single_str_token(995) == local.to_single_str_token(995)
    assert remote.get_token_position(" make", TEXT) == local.get_token_position(" make", TEXT)
    logits = remote(TEXT, prepend_bos=False)
    assert torch.equal(logits, remote(remote.to_tokens(TEXT, prepend_bos=False))) and logits.shape[1] == 5
    assert torch.equal(logits, remote(remote.to_tokens(TEXT, prepend_bos=False)[0].tolist()))


def at_rows(change, *rows):
    def hook(value, hook):
        changed = value.clone()
        for row in rows or range(len(value)):
            changed[row] = change(value)[row]
        return changed

    return hook


def without(direction):
    unit = direction / direction.norm()
    return lambda value: value - (value @ unit)[..., None] * unit


def only(index, change):
    def visit(value):
        changed = value.clone()
        changed[index] = change(value)[index]
        return changed

    return visit


DIRECTION = torch.linspace(-1, 1, 64)
FURTHER = {
    "a direction": (STREAM, {"op": "project_out", "direction": DIRECTION}, without(DIRECTION)),
    "the mean": (OUT, {"op": "position_mean"}, lambda value: value.mean(dim=1, keepdim=True).expand_as(value)),
    "heads": (
        "blocks.3.attn.hook_z",
        {"op": "suppress", "heads": [1, 3], "pos": 4},
        only((slice(None), 4, [1, 3]), lambda value: value * 0),
    ),
    "features": (
        "blocks.3.mlp.hook_post",
        {"op": "set", "value": 2.0, "features": [7, 9]},
        only((..., [7, 9]), lambda value: value * 0 + 2),
    ),
    "several": (
        STREAM,
        [{"op": "scale", "factor": 0.5}, {"op": "add", "value": DIRECTION}],
        lambda value: value * 0.5 + DIRECTION,
    ),
    "the middle of the stream": (
        "blocks.3.hook_resid_mid",
        {"op": "add", "value": DIRECTION},
        lambda value: value + DIRECTION,
    ),
}


@pytest.mark.parametrize("case", FURTHER)
def test_further_edits_are_those_of_a_hook_function(local, remote, case):
    name, specification, change = FURTHER[case]
    theirs = local.run_with_hooks(TEXT, fwd_hooks=[(name, at_rows(change))])
    ours, cache = remote.run_with_cache(TEXT, intervene={name: specification}, names_filter=name)
    assert share(ours, theirs) <= TOLERANCE and share(theirs, local(TEXT)) > 100 * TOLERANCE
    with local.hooks(fwd_hooks=[(name, at_rows(change))]):
        _, edited = local.run_with_cache(TEXT, names_filter=name)
    assert share(cache[name], edited[name]) <= TOLERANCE, "a capture at the edited hook has the edited values"


def test_a_row_is_patched_from_another(local, remote):
    texts = ["The capital of France is", "The capital of Italy is"]
    tokens = local.to_tokens(texts)
    patch = at_rows(only((slice(None), 4), lambda value: value[:1].expand_as(value)), 1)
    theirs = local.run_with_hooks(tokens, fwd_hooks=[(STREAM, patch)])
    ours = remote(texts, intervene={STREAM: {"op": "patch", "row": 0, "pos": 4}})
    assert share(ours, theirs) <= TOLERANCE and share(theirs, local(tokens)) > 100 * TOLERANCE


@pytest.mark.parametrize("side", ["right", "left"])
def test_positions_of_an_edit_count_the_padding(local, remote, side):
    tokens, mask = remote.tokens_and_mask(TEXTS, padding_side=side)
    pos = 1 if side == "right" else -2
    change = only((slice(None), pos), lambda value: value * 0)
    theirs = local.run_with_hooks(tokens, attention_mask=mask, fwd_hooks=[(STREAM, at_rows(change))])
    ours = remote(TEXTS, padding_side=side, intervene={STREAM: {"op": "suppress", "pos": pos}})
    assert share(ours[mask.bool()], theirs[mask.bool()]) <= TOLERANCE


def test_a_captured_value_is_written_back(remote):
    logits, cache = remote.run_with_cache(TEXTS)
    edits = {name: {"op": "set", "value": cache[name]} for name in (STREAM, "blocks.3.attn.hook_attn_scores")}
    assert torch.equal(remote(TEXTS, intervene=edits), logits)


@pytest.mark.filterwarnings("ignore:RemoteBridge fwd_hooks")
def test_hook_functions_read(remote):
    seen = {}

    def read(value, hook):
        seen[hook.name] = value.shape

    def give_back(value, hook):
        return value

    for extra in ({}, {"remove_batch_dim": True}):
        remote.run_with_hooks(TEXT, fwd_hooks=[(STREAM, read), (OUT, give_back)], **extra)
        assert seen.pop("blocks.3.hook_in") == ((6, 64) if extra else (1, 6, 64))
    remote.add_hook(STREAM, read)
    remote(TEXT, return_type=None)
    remote.reset_hooks()
    assert seen.pop("blocks.3.hook_in") == (1, 6, 64)
    with torch.inference_mode():
        remote.run_with_hooks(TEXT, fwd_hooks=[(lambda name: name == "blocks.3.hook_in", read)])
    assert seen.keys() == {"blocks.3.hook_in"}


@pytest.mark.filterwarnings("ignore:RemoteBridge fwd_hooks")
@pytest.mark.parametrize(
    "change", [lambda value: value * 2, lambda value: value.mul_(2), lambda value: value.transpose(1, 2)]
)
def test_hook_functions_that_change_something_are_refused(remote, change):
    def visit(value, hook):
        return change(value)

    for context in (torch.no_grad, torch.inference_mode):
        with context(), pytest.raises(NotImplementedError, match="a hook function at blocks.3.hook_in"):
            remote.run_with_hooks(TEXT, fwd_hooks=[(STREAM, visit)])
    assert not remote.list_hooks()


def test_attributions_of_a_cache_are_those_of_the_local_bridge(local, remote):
    (_, theirs), (_, ours) = (bridge.run_with_cache(TEXT) for bridge in (local, remote))
    stacks = [cache.decompose_resid(return_labels=True) for cache in (ours, theirs)]
    assert stacks[0][1] == stacks[1][1] and share(stacks[0][0], stacks[1][0]) <= TOLERANCE
    made, expected = (cache.logit_attrs(stack, " a") for cache, (stack, _) in zip((ours, theirs), stacks, strict=True))
    assert share(made, expected) <= TOLERANCE
    for name in ("W_E", "W_pos", "W_U", "b_U"):
        assert torch.equal(getattr(remote, name), getattr(local, name)), name


REFUSED = {
    "a Python function at blocks.3.mlp.hook_out": lambda b: b(TEXT, intervene={OUT: lambda value, hook: value}),
    "an edit of blocks.3.ln1.hook_scale": lambda b: b(TEXT, intervene={"blocks.3.ln1.hook_scale": {"op": "suppress"}}),
    "an edit of unembed.hook_out": lambda b: b(TEXT, intervene={"unembed.hook_out": {"op": "suppress"}}),
    "the hook embed.hook_in": lambda b: b(TEXT, intervene={"embed.hook_in": {"op": "suppress"}}),
    "a backward hook": lambda b: b.add_hook(STREAM, print, dir="bwd"),
    "bwd_hooks": lambda b: b.run_with_hooks(TEXT, bwd_hooks=[(STREAM, print)]),
    "incl_bwd": lambda b: b.run_with_cache(TEXT, incl_bwd=True),
    "stop_at_layer": lambda b: b(TEXT, stop_at_layer=3),
    "start_at_layer": lambda b: b.run_with_cache(TEXT, start_at_layer=3),
    "past_key_values=": lambda b: b(TEXT, past_key_values=()),
    "position_ids=": lambda b: b(TEXT, position_ids=[[0]]),
    "decoder_input=": lambda b: b(TEXT, decoder_input=[[0]]),
    "max_new_tokens=2": lambda b: b(TEXT, max_new_tokens=2),
    "return_type='predictions'": lambda b: b(TEXT, return_type="predictions"),
    "input_ids of floats": lambda b: b(torch.zeros(1, 3)),
    "train is": lambda b: b.train(),
    "state_dict is": lambda b: b.state_dict(),
    "enable_compatibility_mode is": lambda b: b.enable_compatibility_mode(),
    "W_Q is": lambda b: b.W_Q,
    "cuda is": lambda b: b.cuda(),
    "hf_generate is": lambda b: b.hf_generate(TEXT),
    "output_logits=": lambda b: b.generate(TEXT, output_logits=True),
    "stop_strings=": lambda b: b.generate(TEXT, stop_strings=["."]),
    "padding_side=": lambda b: b.generate(torch.tensor([[1]]), padding_side="left"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_the_server_cannot_do_is_refused_by_name(remote, what):
    with pytest.raises(NotImplementedError, match=what):
        REFUSED[what](remote)


GATED = "blocks.3.attn.hook_attn_in"
WRONG = {
    "input_ids": lambda b: b(None),
    "input_ids[0][1]": lambda b: b([5, 999999]),
    "attention_mask": lambda b: b(torch.tensor([[5, 6]]), attention_mask=torch.tensor([[0, 0]])),
    "intervene['blocks.3.mlp.hook_out'].add.shape": lambda b: b(TEXT, intervene={OUT: {"op": "add", "value": [1, 2]}}),
    f"intervene['{GATED}']": lambda b: b(TEXT, intervene={GATED: {"op": "suppress"}}),
    "max_new_tokens": lambda b: b.generate(TEXT, 0),
}


@pytest.mark.parametrize("argument", WRONG)
def test_errors_name_the_argument_of_a_bridge(remote, argument):
    with pytest.raises(hp.InvalidArgument) as caught:
        WRONG[argument](remote)
    assert caught.value.argument == argument, caught.value


def test_arguments_that_ask_for_nothing_are_taken(remote):
    logits = remote(TEXT, past_key_values=None, use_cache=False, stop_at_layer=None)
    assert torch.equal(logits, remote(TEXT))
    with pytest.raises(hp.InvalidArgument, match="at least one token"):
        remote([])


def test_a_name_that_means_no_hook_is_told(remote):
    with pytest.raises(KeyError, match="blocks.3.nothing"):
        remote(TEXT, intervene={"blocks.3.nothing": {"op": "suppress"}})
    with pytest.raises(ValueError, match="named twice"):
        remote(TEXT, intervene={STREAM: {"op": "suppress"}, "blocks.3.hook_in": {"op": "suppress"}})


def test_closing_leaves_a_client_that_was_given(server):
    with hp.Client(server.address, progress=False) as client:
        hp.transformer_lens.bridge(client).close()
        assert client.model().n_layer == 12
    bridge = remote_bridge(server)
    bridge.close()
    with pytest.raises((hp.HydrophoneError, ValueError)):
        bridge(TEXT)


def test_a_model_without_a_tokenizer_takes_ids(remote, tmp_path):
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).symlink_to(DEFAULT_MODEL / name)
    with Server(tmp_path) as server, remote_bridge(server) as bridge:
        assert torch.equal(bridge([5, 6]), remote([5, 6]))
        assert torch.equal(bridge.generate(torch.tensor([[5, 6]]), 3, do_sample=False)[0, :2], torch.tensor([5, 6]))
        with pytest.raises(NotImplementedError, match="a batch of several lengths"):
            bridge([[5, 6], [7]])
        with pytest.raises(AssertionError, match="Tokenizer must be set"):
            bridge(TEXT)
