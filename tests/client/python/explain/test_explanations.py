"""Why a tensor differs: each cause made with Hugging Face's GPT-2 of the same checkpoint, alone and two at once."""

import pathlib
import sys

import numpy as np
import pytest
from conftest import DEFAULT_MODEL, ROOT
from python_client import hp

from hydrophone.explain import CAUSES, causes
from hydrophone.explain import __main__ as program

sys.path.insert(0, str(ROOT / "tests/parity"))
import hugging_face  # noqa: E402

torch = pytest.importorskip("torch")

TEXT = "Plants make fantastic pets because they don't leave a mess after you feed them."
BOS = 50256


@pytest.fixture(scope="module")
def ask(server):
    with hp.Client(server.address, progress=False) as client:
        yield client


@pytest.fixture(scope="module")
def ids(ask):
    return list(ask.tokenize(TEXT)[0].token_ids)


@pytest.fixture(scope="module")
def model():
    return hugging_face.load(DEFAULT_MODEL)


@torch.inference_mode()
def hidden_states(model, ids, layer, **options):
    """What a caller gets who takes output.hidden_states[layer], [tokens, width]."""
    with hugging_face.one_thread():
        return model.transformer(torch.tensor([ids]), output_hidden_states=True, **options).hidden_states[layer][0]


def raw(model, ids, layer, **options):
    """The block's own output, [tokens, width], also the last one's."""
    with hugging_face.one_thread(), torch.inference_mode():
        return output_of(model, model.transformer.h[layer], ids, **options)


def output_of(model, module, ids, **options):
    """A module's output, [tokens, width]."""
    seen = []
    handle = module.register_forward_hook(
        lambda _module, _inputs, out: seen.append(out[0] if isinstance(out, tuple) else out)
    )
    with hugging_face.one_thread(), torch.inference_mode():
        model.transformer(torch.tensor([ids]), **options)
    handle.remove()
    return seen[0][0]


def left_padded(model, ids, count, layer):
    """As a batch of a longer text and this one is padded: no position ids, an attention mask."""
    mask = torch.tensor([[0] * count + [1] * len(ids)])
    return hidden_states(model, [BOS] * count + ids, layer, attention_mask=mask)


def in_training(model, module, ids, seed=0):
    torch.manual_seed(seed)
    model.train()
    try:
        return output_of(model, module, ids)
    finally:
        model.eval()


def said(ask, array, ids, hook, layer=None, **options):
    return hp.explain(array, ids, hook, layer, client=ask, **options)


def check(explanation, *names, proved=True):
    assert sorted(explanation.names) == sorted(names), explanation
    assert not explanation.equal and explanation.distance > explanation.allowed
    assert all(cause.proved for cause in explanation.causes) == proved, explanation
    if proved:
        assert explanation.remaining <= explanation.allowed, explanation


@pytest.mark.parametrize(
    "hook, layer",
    [("hidden_states", 3), ("hidden_states", 12), ("resid_post", 11), ("attn.hook_z", 2), ("logits", None)],
)
def test_what_is_equal_is_said_to_be(ask, ids, hook, layer):
    array = ask.extract([ids], hook, layers=layer)[hook]
    explanation = said(ask, array, ids, hook, layer)
    assert (
        explanation.equal
        and not explanation.causes
        and explanation.distance == 0
        and "equal within" in repr(explanation)
    )


def test_what_is_equal_in_its_first_tokens_alone_is_not_equal(ask, ids):
    array = ask.extract([ids * 3], "resid_post", layers=4)["resid_post"]
    array[-1] += 1
    explanation = said(ask, array, ids * 3, "resid_post", 4)
    assert not explanation.equal and not explanation.causes and explanation.remaining > 0.01
    assert "no cause that was tried explains it" in repr(explanation)
    assert not said(ask, array, ids * 3, "resid_post", 5).causes[0].proved


def test_hugging_faces_own_is_equal(ask, model, ids):
    for layer in (0, 5, 12):
        assert said(ask, hidden_states(model, ids, layer), TEXT, "hidden_states", layer).equal
    assert said(ask, hidden_states(model, ids, 5)[None].numpy(), TEXT, "hidden_states", 5).equal, "a batch of one"


def test_bos_shift(ask, model, ids):
    shifted = hidden_states(model, [BOS, *ids], 6)
    check(said(ask, shifted, TEXT, "resid_post", 5), causes.BOS)
    check(said(ask, shifted[1:], TEXT, "resid_post", 5), causes.BOS)
    explanation = said(ask, hidden_states(model, ids, 6), TEXT, "resid_post", 5, prepend_bos=True)
    check(explanation, causes.BOS)
    assert "no BOS token" in repr(explanation)
    assert said(ask, shifted, TEXT, "resid_post", 5, prepend_bos=True).equal
    assert said(ask, shifted, [BOS, *ids], "resid_post", 5).equal


def test_ln_f_applied_or_missing(ask, model, ids):
    check(said(ask, hidden_states(model, ids, 12), TEXT, "resid_post", 11), causes.LN_F_APPLIED)
    check(said(ask, raw(model, ids, 11), TEXT, "hidden_states", 12), causes.LN_F_MISSING)
    check(said(ask, raw(model, ids, 11), TEXT, "ln_final.hook_out"), causes.LN_F_MISSING)
    with torch.inference_mode():
        normed = model.transformer.ln_f(hidden_states(model, ids, 4))
    check(said(ask, normed, TEXT, "hidden_states", 4), causes.LN_F_APPLIED)


@pytest.mark.parametrize("layer, asked", [(3, 4), (4, 3), (0, 1), (11, 10)])
def test_off_by_one_layer(ask, model, ids, layer, asked):
    explanation = said(ask, raw(model, ids, layer), TEXT, "resid_post", asked)
    check(explanation, causes.LAYER)
    assert f"yours is layer {layer}, not {asked}" in repr(explanation)


def test_centred_weights(ask, model, ids):
    states = hidden_states(model, ids, 6)
    check(said(ask, states - states.mean(-1, keepdim=True), TEXT, "hidden_states", 6), causes.CENTRED)
    out = output_of(model, model.transformer.h[4].mlp.c_proj, ids)
    check(said(ask, out - out.mean(-1, keepdim=True), TEXT, "mlp_out", 4), causes.CENTRED)
    with torch.inference_mode(), hugging_face.one_thread():
        logits = model(torch.tensor([ids])).logits[0]
    check(said(ask, logits - logits.mean(-1, keepdim=True), TEXT, "logits"), causes.CENTRED)


def test_folded_weights(ask, model, ids):
    plain = torch.nn.functional.layer_norm
    for layer, norm, hook in ((3, "ln_1", "ln1.hook_out"), (3, "ln_2", "ln2.hook_out")):
        module = getattr(model.transformer.h[layer], norm)
        out = output_of(model, module, ids)
        with torch.inference_mode():
            folded = (out - module.bias) / module.weight
        check(said(ask, folded, TEXT, hook, layer), causes.FOLDED)
    folded = plain(raw(model, ids, 11), (64,), eps=model.config.layer_norm_epsilon)
    check(said(ask, folded, TEXT, "ln_final.hook_out"), causes.FOLDED)
    with torch.inference_mode():
        attention = model.transformer.h[2].attn.c_attn
        values = output_of(model, attention, ids)[:, 128:] - attention.bias[128:]
    check(said(ask, values.reshape(-1, 4, 16), TEXT, "attn.hook_v", 2), causes.FOLDED)


@pytest.mark.parametrize("count", [1, 3, 17])
@pytest.mark.parametrize("with_rows", [True, False])
def test_left_padding_without_position_ids(ask, model, ids, count, with_rows):
    states = left_padded(model, ids, count, 6)
    explanation = said(ask, states if with_rows else states[count:], TEXT, "hidden_states", 6)
    check(explanation, causes.PADDING)
    assert f"{count} padding tokens" in repr(explanation)


def test_left_padding_without_attention_mask(ask, model, ids):
    states = hidden_states(model, [BOS] * 4 + ids, 6)
    for array in (states, states[4:]):
        check(said(ask, array, TEXT, "hidden_states", 6), causes.UNMASKED)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("layer", [2, 12])
def test_half_precision(ask, ids, dtype, layer):
    halves = hidden_states(hugging_face.load(DEFAULT_MODEL, dtype=dtype), ids, layer)
    for array in (halves, halves.float().numpy()):
        explanation = said(ask, array, TEXT, "hidden_states", layer)
        assert explanation.names == (causes.HALF,) and explanation.causes[0].proved
        assert str(dtype).removeprefix("torch.") in repr(explanation)


def test_half_precision_in_a_part_of_the_model(ask, model, ids):
    with torch.autocast("cpu", torch.bfloat16):
        states = hidden_states(model, ids, 6)
    explanation = said(ask, states, TEXT, "hidden_states", 6)
    assert explanation.names == (causes.HALF,) and not explanation.causes[0].proved


@pytest.mark.parametrize("seed", range(3))
def test_dropout_left_on(ask, model, ids, seed):
    block = model.transformer.h[5]
    check(said(ask, in_training(model, block, ids, seed), TEXT, "resid_post", 5), causes.DROPOUT, proved=False)
    before = in_training(model, block.attn.c_proj, ids, seed)
    check(said(ask, before, TEXT, "attn.c_proj", 5), causes.DROPOUT, proved=False)


def test_before_or_after_a_dropout(ask, model, ids):
    block = model.transformer.h[5]
    for before, after, hooks in (
        (block.attn.c_proj, block.attn.resid_dropout, ("attn_out", "attn.hook_resid_dropout")),
        (block.mlp.c_proj, block.mlp.dropout, ("mlp_out", "mlp.hook_dropout")),
    ):
        explanation = said(ask, in_training(model, after, ids), TEXT, hooks[0], 5)
        assert sorted(explanation.names) == sorted([causes.DROPOUT, causes.AFTER_DROPOUT]), explanation
        explanation = said(ask, in_training(model, before, ids), TEXT, hooks[1], 5)
        assert sorted(explanation.names) == sorted([causes.DROPOUT, causes.BEFORE_DROPOUT]), explanation
        for module, hook in ((before, hooks[0]), (after, hooks[1])):
            assert said(ask, in_training(model, module, ids), TEXT, hook, 5).names == (causes.DROPOUT,), hook


def test_another_checkpoint(ask, ids, random_checkpoint):
    other = random_checkpoint("other", "--n-layer", "12", "--n-embd", "64", "--n-head", "4", "--seed", "7")
    explanation = said(ask, hidden_states(hugging_face.load(other), ids, 6), TEXT, "hidden_states", 6)
    check(explanation, causes.CHECKPOINT, proved=False)


def test_another_width_is_another_checkpoint(ask, ids):
    explanation = said(ask, np.ones((len(ids), 768), dtype=np.float32), TEXT, "hidden_states", 6)
    assert explanation.names == (causes.CHECKPOINT,) and explanation.causes[0].proved
    assert "768 values at each token" in repr(explanation)


def centred(array):
    return array - array.mean(-1, keepdim=True)


TWO = {
    (causes.BOS, causes.LAYER): lambda model, ids: raw(model, [BOS, *ids], 4)[1:],
    (causes.BOS, causes.CENTRED): lambda model, ids: centred(raw(model, [BOS, *ids], 5)),
    (causes.PADDING, causes.LAYER): lambda model, ids: left_padded(model, ids, 3, 5),
    (causes.LAYER, causes.CENTRED): lambda model, ids: centred(raw(model, ids, 6)),
    (causes.PADDING, causes.CENTRED): lambda model, ids: centred(left_padded(model, ids, 9, 6)[9:]),
    (causes.BOS, causes.LN_F_APPLIED): lambda model, ids: model.transformer.ln_f(raw(model, [BOS, *ids], 5)),
    (causes.LAYER, causes.LN_F_APPLIED): lambda model, ids: model.transformer.ln_f(raw(model, ids, 4)),
}


@pytest.mark.parametrize("names", TWO, ids=" and ".join)
def test_two_at_once(ask, model, ids, names):
    with torch.inference_mode():
        array = TWO[names](model, ids)
    check(said(ask, array, TEXT, "resid_post", 5), *names)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("names", [(causes.BOS,), (causes.LAYER,), (causes.PADDING,), (causes.LN_F_APPLIED,)])
def test_half_precision_and_another(ask, ids, dtype, names):
    model = hugging_face.load(DEFAULT_MODEL, dtype=dtype)
    make = {
        causes.BOS: lambda: raw(model, [BOS, *ids], 5),
        causes.LAYER: lambda: raw(model, ids, 4),
        causes.PADDING: lambda: left_padded(model, ids, 3, 6),
        causes.LN_F_APPLIED: lambda: model.transformer.ln_f(raw(model, ids, 5)),
    }
    with torch.inference_mode():
        explanation = said(ask, make[names[0]](), TEXT, "resid_post", 5)
    assert sorted(explanation.names) == sorted([*names, causes.HALF]), explanation


@pytest.mark.parametrize("seed", range(3))
def test_dropout_and_another(ask, model, ids, seed):
    block = model.transformer.h[5]
    array = in_training(model, block, [BOS, *ids], seed)
    explanation = said(ask, array, TEXT, "resid_post", 5)
    assert sorted(explanation.names) == sorted([causes.BOS, causes.DROPOUT]), explanation


def test_every_cause_has_a_test():
    assert len(CAUSES) == len(set(CAUSES)) == 13
    source = pathlib.Path(__file__).read_text()
    names = {value: name for name, value in vars(causes).items() if isinstance(value, str) and value in CAUSES}
    assert all(f"causes.{names[cause]}" in source for cause in CAUSES)


@pytest.mark.parametrize(
    "argument, array, hook, layer",
    [
        ("array", np.ones(3), "resid_post", 5),
        ("array", np.ones((2, 64)), "resid_post", 5),
        ("array", np.ones((16, 64)), "resid_post", 5),
        ("array", [["a"]], "resid_post", 5),
        ("array", np.full((17, 64), np.nan), "resid_post", 5),
        ("layer", np.ones((17, 64)), "resid_post", 99),
        ("hook", np.ones((17, 64)), "no_such", 5),
        ("hook", np.ones((17, 64)), "resid_post", None),
        ("hook", np.ones((17, 64)), "attn.hook_pattern", 5),
    ],
)
def test_errors_name_the_argument(ask, ids, argument, array, hook, layer):
    with pytest.raises(hp.InvalidArgument) as caught:
        said(ask, array, TEXT, hook, layer)
    assert caught.value.argument == argument, caught.value


def test_a_text_without_tokens_is_named(ask):
    with pytest.raises(hp.InvalidArgument, match="^text: got no tokens"):
        said(ask, np.ones((1, 64)), "", "resid_post", 5)


def test_the_program_says_it_and_exits_by_it(server, ask, model, ids, tmp_path, capsys):
    np.save(tmp_path / "mine.npy", hidden_states(model, ids, 6).numpy())
    (tmp_path / "text.npy").write_text("text")
    common = ["--server", server.address, "--hook", "resid_post"]
    assert program.main([str(tmp_path / "mine.npy"), TEXT, *common, "--layer", "5"]) == 0
    assert "equal within" in capsys.readouterr().out
    tokens = ["--token-ids", *map(str, ids)]
    assert program.main([str(tmp_path / "mine.npy"), *tokens, *common, "--layer", "6"]) == 1
    assert "off by one layer: yours is layer 5, not 6" in capsys.readouterr().out
    for path, said_of_it in (("none.npy", "No such file"), ("text.npy", "expected an array that np.save wrote")):
        assert program.main([str(tmp_path / path), TEXT, *common, "--layer", "6"]) == 1
        error = capsys.readouterr().err
        assert error.startswith("hydrophone.explain: ") and said_of_it in error and error.count("\n") == 1
    with pytest.raises(SystemExit, match="2"):
        program.main([str(tmp_path / "mine.npy"), *common])
