"""Arguments of extract that would change nothing beside the others are refused; the same ones are taken where they do
change something."""

import pytest
from python_client import hp

from hydrophone.requests.extraction import extract

CLEAN = hp.run(0, key="clean")
COMPARED = [CLEAN, hp.run(0, hp.zero("mlp_out", layers=0), key="edited", baseline="clean")]
OWN = {
    "layers": 3,
    "positions": "last",
    "heads": [0],
    "features": [1],
    "reduce": "mean",
    "project": [1.0],
    "lens": hp.lens(1),
    "summary": hp.Summarize(),
}
SCORES = hp.hook("resid_post", lens=hp.lens(1))
LOGITS = hp.hook("resid_post", lens=hp.lens(logits=True))
PREVIEW = hp.hook("hook_embed", view="preview")
HALF = hp.hook("hook_embed", dtype="float16")
SUMMARY = hp.hook("hook_embed", summary=hp.Summarize())
EDITED = hp.hook("resid_post", runs=["edited"])
BOTH = hp.hook("resid_post", runs=[0, 1])


@pytest.mark.parametrize("name", OWN)
def test_a_choice_that_no_hook_takes(name):
    choice = {name: OWN[name]}
    own = hp.hook("hook_embed", **choice)
    loss = hp.next_token_loss()
    for hooks, metrics, said in (([own, own], (), "beside hooks that all"), ((), loss, "without hooks")):
        with pytest.raises(hp.InvalidArgument, match=said) as caught:
            extract("a", hooks, metrics=metrics, **choice)
        assert caught.value.argument == name
    assert extract("a", [own, "hook_embed"], **choice).shared == {(1, name)}


@pytest.mark.parametrize(
    "argument, hooks, options",
    [
        ("rows", (), {"rows": True, "metrics": hp.next_token_loss()}),
        ("rows", SCORES, {"rows": True}),
        ("rows", "resid_post", {"rows": True, "lens": hp.lens(1)}),
        ("rows", EDITED, {"rows": True, "runs": COMPARED}),
        ("view", (), {"view": "preview", "metrics": hp.next_token_loss()}),
        ("view", SCORES, {"view": "preview"}),
        ("view", PREVIEW, {"view": "floats"}),
        ("view", SUMMARY, {"view": "floats"}),
        ("view", "hook_embed", {"view": "preview", "summary": hp.Summarize()}),
        ("view", EDITED, {"view": "preview", "runs": COMPARED}),
        ("dtype", (), {"dtype": "float16", "metrics": hp.next_token_loss()}),
        ("dtype", SCORES, {"dtype": "float16"}),
        ("dtype", HALF, {"dtype": "float32"}),
        ("dtype", PREVIEW, {"dtype": "float16"}),
        ("dtype", SUMMARY, {"dtype": "float16"}),
        ("dtype", "hook_embed", {"dtype": "float16", "view": "floats"}),
        ("dtype", EDITED, {"dtype": "float16", "runs": COMPARED}),
        ("hooks[0].view", hp.hook("hook_embed", view="preview", runs=[1]), {"runs": COMPARED}),
        ("hooks[0].dtype", hp.hook("hook_embed", dtype="float16", runs=["edited"]), {"runs": COMPARED}),
        ("hooks[0].summary", hp.hook("hook_embed", summary=hp.Summarize(), runs=[1]), {"runs": COMPARED}),
        ("train_seed", "hook_embed", {"train_seed": 1, "train_seeds": [2, 3]}),
        ("train_seed", "hook_embed", {"train_seed": 1, "runs": [hp.run(0, train_seed=2)]}),
    ],
)
def test_a_form_or_a_seed_that_changes_nothing(argument, hooks, options):
    with pytest.raises(hp.InvalidArgument) as caught:
        extract("a", hooks, **options)
    assert caught.value.argument == argument


@pytest.mark.parametrize(
    "hooks, options",
    [
        ([SCORES, "hook_embed"], {"rows": True, "dtype": "float16"}),
        ([SCORES, "hook_embed"], {"view": "preview"}),
        (LOGITS, {"rows": True, "dtype": "float16", "view": "array"}),
        (SUMMARY, {"rows": True, "view": "summary"}),
        ([PREVIEW, "hook_embed"], {"view": "floats"}),
        ([PREVIEW, "hook_embed"], {"dtype": "float16"}),
        ([HALF, "hook_embed"], {"dtype": "float32"}),
        ([EDITED, BOTH], {"rows": True, "dtype": "float16", "runs": COMPARED}),
        ("resid_post", {"view": "preview", "runs": COMPARED}),
        ("hook_embed", {"train_seed": 1, "runs": [CLEAN, hp.run(0, train_seed=2)]}),
        ("hook_embed", {"train_seed": 1, "edits": hp.zero("hook_embed")}),
    ],
)
def test_the_same_arguments_are_taken_where_they_change_something(hooks, options):
    extract("a", hooks, **options)


def test_a_hook_has_a_lens_or_a_projection():
    asked = extract("a", hp.hook("resid_post", lens=hp.lens(1)), metrics=hp.next_token_loss())
    assert asked.request({}, 12)[0].hooks[0].logit_lens.top_k == 1
    asked = extract("a", [hp.hook("resid_post", lens=hp.lens(1)), "mlp_out"], project=[1.0])
    with pytest.raises(hp.InvalidArgument, match="project: got it beside lens"):
        asked.request({}, 12)
