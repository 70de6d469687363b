"""extract: what a call asks is what the server is asked, however many requests it takes."""

import numpy as np
import pytest
from conftest import Server
from hydrophone_client import tensor
from python_client import hp

LESSON = "Plants make fantastic pets because they don't leave a mess after you feed them."
TEXTS = [f"Text number {number} " + "and more " * (number % 5) for number in range(30)]


@pytest.fixture(scope="module")
def ask(server):
    with hp.Client(server.address, progress=False) as client:
        yield client


@pytest.fixture(scope="module")
def small():
    """A client of a server whose limits are small, so that a call takes many requests."""
    flags = ["--max_inputs_per_request=4", "--max_tokens_per_request=40", "--max_response_bytes=20000"]
    with Server(flags=flags) as server, hp.Client(server.address, progress=False) as client:
        yield client


def test_the_lesson_closes(ask):
    r = ask.extract(LESSON, ["attn.c_proj", "mlp.c_proj", "hidden_states"], layers=[10, 11])
    rebuilt = (r["hidden_states", 10] + r["attn.c_proj", 10]) + r["mlp.c_proj", 10]
    assert rebuilt.tobytes() == r["hidden_states", 11].tobytes()
    assert r.data_bytes == sum(capture.array.nbytes for capture in r.captures)


def test_arrays_are_those_of_a_bare_client(ask, client):
    bare = client.extract(texts=TEXTS, hooks=[{"hook_point": "attn.c_proj", "layers": [3]}])
    r = ask.extract(TEXTS, "attn.c_proj", layers=3)
    for run in range(len(TEXTS)):
        np.testing.assert_array_equal(r["attn.c_proj", 3, run], bare.named("blocks.3.hook_attn_out", run))


def test_many_requests_give_what_one_gives(ask, small):
    hooks = ["resid_post", hp.hook("attn.hook_pattern", layers=[1])]
    one, many = (each.extract(TEXTS, hooks, layers=[0, -1]) for each in (ask, small))
    assert len(one.captures) == len(many.captures) == 3 * len(TEXTS)
    for run in range(len(TEXTS)):
        for name, layer in (("resid_post", 0), ("resid_post", -1), ("attn.hook_pattern", 1)):
            np.testing.assert_array_equal(one[name, layer, run], many[name, layer, run])
    assert one.inputs == many.inputs and one.runs == many.runs and one.data_bytes == many.data_bytes


def test_rows_of_many_requests_are_one_array(ask, small):
    one, many = (each.extract(TEXTS, "hidden_states", layers=2, rows=True) for each in (ask, small))
    assert len(many.captures) == 1
    np.testing.assert_array_equal(one["hidden_states"], many["hidden_states"])
    assert many.captures[0].runs == tuple(range(len(TEXTS)))
    assert many.captures[0].rows == tuple(len(info.token_ids) for info in many.inputs) == one.captures[0].rows


def test_an_answer_that_is_too_large_is_asked_for_in_halves(small):
    texts = ["one two three four five six"] * 4  # 24 tokens, 12 layers of 64: 73,728 bytes
    r = small.extract(texts, "resid_post")
    assert len(r.captures) == 4 * 12
    with pytest.raises(hp.TooLarge):
        small.extract("many " * 30, "resid_post")


def test_skipped_inputs_keep_their_places_in_every_request(small):
    texts = [("" if number % 7 == 3 else text) for number, text in enumerate(TEXTS)]
    r = small.extract(texts, "resid_post", layers=0, rows=True, skip_bad_inputs=True)
    assert [info.index for info in r.inputs] == list(range(len(texts)))
    skipped = [info.index for info in r.inputs if info.skipped]
    assert skipped == [3, 10, 17, 24]
    assert r.captures[0].runs == tuple(number for number in range(len(texts)) if number not in skipped)
    assert r.inputs[17].skipped.startswith("inputs[17]")


def test_a_bad_input_of_a_later_request_is_named_by_its_place_in_the_call(small):
    texts = [*TEXTS[:17], "", *TEXTS[17:]]
    with pytest.raises(hp.InvalidArgument) as caught:
        small.extract(texts, "resid_post", layers=0)
    assert caught.value.argument == "inputs[17]"


def test_runs_of_many_requests_keep_their_numbers_and_edits(ask, small):
    runs = [hp.run(number, key=f"clean {number}") for number in range(len(TEXTS))]
    for number in range(len(TEXTS)):
        cut = hp.run(number, hp.zero("mlp_out", layers=1), key=f"cut {number}", baseline=f"clean {number}")
        runs.insert(2 * number + 1, cut)
    one, many = (each.extract(TEXTS, "resid_post", layers=[-1], runs=runs) for each in (ask, small))
    for number in range(len(TEXTS)):
        assert one.comparison("resid_post", -1, f"cut {number}") == many.comparison("resid_post", -1, f"cut {number}")
        clean = f"clean {number}"
        np.testing.assert_array_equal(one["resid_post", -1, clean], many["resid_post", -1, clean])


def test_a_stream_gives_the_captures_of_extract(ask, small):
    whole = ask.extract(TEXTS, "resid_post", layers=[0, 5])
    arrived = {(each.layer, each.runs): each.array for each in small.stream(TEXTS, "resid_post", layers=[0, 5])}
    assert len(arrived) == len(whole.captures)
    for capture in whole.captures:
        np.testing.assert_array_equal(arrived[capture.layer, capture.runs], capture.array)


def test_inputs_are_text_bytes_ids_or_arrays(ask):
    ids = ask.tokenize("Hello world")[0].token_ids
    given = ["Hello world", b"Hello world", list(ids), np.array(ids), hp.Text("Hello world", key="mine")]
    r = ask.extract(given, "resid_pre", layers=0)
    assert [info.token_ids for info in r.inputs] == [ids] * 5
    assert r["resid_pre", 0, "mine"].shape == (2, 64)
    assert [info.token_ids for info in ask.extract(list(ids), "resid_pre", layers=0).inputs] == [ids]
    assert ask.extract("Hello", "resid_pre", layers=0, prepend_bos=True).inputs[0].token_ids[0] == 50256


def test_selections(ask):
    whole = ask.extract(LESSON, ["attn.hook_z", "mlp.hook_post"], layers=4)
    z, post = whole["attn.hook_z"], whole["mlp.hook_post"]
    for positions, index in (
        ("last", [-1]),
        (slice(1, 5, 2), slice(1, 5, 2)),
        ([3, -2], [3, -2]),
        (2, [2]),
        ("::3",) * 2,
    ):
        part = ask.extract(LESSON, "attn.hook_z", layers=4, positions=positions)["attn.hook_z"]
        expected = z[::3] if index == "::3" else z[index]
        np.testing.assert_array_equal(part, expected)
    part = ask.extract(LESSON, "attn.hook_z", layers=4, heads=[2, 0], features=[5])["attn.hook_z"]
    np.testing.assert_array_equal(part, z[:, [2, 0]][..., [5]])
    part = ask.extract(LESSON, "mlp.hook_post", layers=4, reduce="max")["mlp.hook_post"]
    np.testing.assert_array_equal(part, post.max(axis=0, keepdims=True))
    vectors = np.eye(256, dtype=np.float32)[[7, 9]]
    part = ask.extract(LESSON, "mlp.hook_post", layers=4, project=vectors)["mlp.hook_post"]
    np.testing.assert_array_equal(part, post[:, [7, 9]])
    two = ask.extract(["Hello world", "Hi"], "resid_pre", layers=0, positions=hp.per_run([0, 1], "last"))
    assert [two["resid_pre", 0, run].shape[0] for run in (0, 1)] == [2, 1]


def test_narrow_types(ask):
    full = ask.extract(LESSON, "resid_post", layers=3)["resid_post"]
    half = ask.extract(LESSON, "resid_post", layers=3, dtype="float16")["resid_post"]
    np.testing.assert_array_equal(half, full.astype(np.float16))
    brain = ask.extract(LESSON, "resid_post", layers=3, dtype="bfloat16")["resid_post"]
    assert brain.dtype == np.float32 and np.abs(brain - full).max() <= np.abs(full).max() / 256


def test_views(ask):
    full = ask.extract(LESSON, "resid_post", layers=3)["resid_post"]
    summary = ask.extract(LESSON, "resid_post", layers=3, summary=hp.Summarize(0.5, 2, [0.25])).summary("resid_post")
    assert summary.count == full.size and summary.max == full.max()
    assert summary.share_above == pytest.approx((np.abs(full) > 0.5).mean())
    assert summary.quantiles[0] == pytest.approx(np.quantile(full, 0.25))
    assert abs(summary.top[0].value) == np.abs(full).max() and full[summary.top[0].index] == summary.top[0].value
    assert ask.extract(LESSON, "resid_post", layers=3, view="preview").preview("resid_post").startswith("[[")
    floats = ask.extract(LESSON, "resid_post", layers=3, view="floats")["resid_post"]
    np.testing.assert_array_equal(floats, full)


def test_validating_computes_nothing_and_tells_the_size(ask):
    planned, made = (ask.extract(TEXTS, "resid_post", layers=3, validate_only=each) for each in (True, False))
    assert planned.captures == () and planned.data_bytes == made.data_bytes and planned.inputs == made.inputs


def test_train_mode_samples_repeat_and_differ(ask):
    one, again = (ask.extract(LESSON, "resid_post", layers=3, train_seeds=[1, 2]) for _ in range(2))
    np.testing.assert_array_equal(one["resid_post", 3, 0], again["resid_post", 3, 0])
    assert not np.array_equal(one["resid_post", 3, 0], one["resid_post", 3, 1])
    alone = ask.extract(LESSON, "resid_post", layers=3, train_seed=1)
    np.testing.assert_array_equal(alone["resid_post"], one["resid_post", 3, 0])


VECTOR = np.linspace(-1, 1, 64, dtype=np.float32)


@pytest.mark.parametrize(
    "edit, expected",
    [
        (hp.zero("mlp_out", layers=2), lambda x: 0 * x),
        (hp.scale("mlp_out", 2.0, layers=2), lambda x: 2 * x),
        (hp.add("mlp_out", VECTOR, layers=2), lambda x: x + VECTOR),
        (hp.set("mlp_out", VECTOR, layers=2), lambda x: 0 * x + VECTOR),
        (hp.set("mlp_out", 3.5, layers=[2]), lambda x: 0 * x + np.float32(3.5)),
        (hp.position_mean("mlp_out", layers=2), lambda x: 0 * x + x.mean(axis=0, dtype=np.float64).astype(np.float32)),
        (hp.zero("mlp_out", layers="all"), lambda x: 0 * x),
    ],
)
def test_edits_do_what_they_say(ask, edit, expected):
    clean = ask.extract(LESSON, "mlp_out", layers=2)["mlp_out"]
    edited = ask.extract(LESSON, "mlp_out", layers=2, edits=edit)["mlp_out"]
    if edit.layers == "all":
        clean = clean * 0
    np.testing.assert_array_equal(edited, expected(clean))


def test_an_edit_is_made_where_it_says_and_nowhere_else(ask):
    clean = ask.extract(LESSON, "mlp.hook_post", layers=2)["mlp.hook_post"]
    edit = hp.zero("mlp.hook_post", layers=2, positions=[1, -1], features=[3, 4])
    edited = ask.extract(LESSON, "mlp.hook_post", layers=2, edits=[edit])["mlp.hook_post"]
    clean[np.ix_([1, -1], [3, 4])] = 0
    np.testing.assert_array_equal(edited, clean)


def test_a_direction_is_taken_out(ask):
    edited = ask.extract(LESSON, "mlp_out", layers=2, edits=hp.project_out("mlp_out", VECTOR, layers=2))["mlp_out"]
    assert np.abs(edited @ VECTOR).max() < 1e-4


def test_a_patch_is_another_runs_value(ask):
    runs = [hp.run(0, key="clean"), hp.run(1, hp.patch("resid_pre", "clean", layers=4, positions=1), key="patched")]
    r = ask.extract(["Hello world", "Good day"], "resid_pre", layers=4, runs=runs)
    other = ask.extract("Good day", "resid_pre", layers=4)["resid_pre"]
    np.testing.assert_array_equal(r["resid_pre", 4, "patched"][1], r["resid_pre", 4, "clean"][1])
    np.testing.assert_array_equal(r["resid_pre", 4, "patched"][0], other[0])
    from_elsewhere = hp.patch("resid_pre", 0, layers=4, positions=1, source_layer=3, source_positions=0)
    r = ask.extract(
        ["Hello world", "Good day"], "resid_pre", layers=[3, 4], runs=[hp.run(0), hp.run(1, from_elsewhere)]
    )
    np.testing.assert_array_equal(r["resid_pre", 4, 1][1], r["resid_pre", 3, 0][0])


def test_metrics(ask):
    logits = ask.extract(LESSON, "logits")["logits"]
    paris, rome = (ask.tokenize(text)[0].token_ids[0] for text in (" the", " a"))
    metrics = [hp.logit_diff(" the", rome, positions=[0, -1]), hp.next_token_loss(key="loss")]
    r = ask.extract(LESSON, metrics=metrics)
    np.testing.assert_allclose(r.metric("logit_diff"), (logits[:, paris] - logits[:, rome])[[0, -1]], rtol=1e-5)
    assert r.metric("loss").shape == (len(logits) - 1,)
    runs = [hp.run(0), hp.run(0, hp.zero("mlp_out", layers="all"), baseline=0)]
    assert ask.extract(LESSON, runs=runs, metrics=hp.kl_divergence(runs=[1])).metric("kl_divergence", 1) > 0


def test_continuations_are_captured(ask):
    [continuation] = ask.generate("Hello world", 4)
    r = ask.extract("Hello world", "resid_post", layers=0, max_new_tokens=4)
    assert r.inputs[0].token_ids == continuation.prompt_ids + continuation.token_ids
    assert continuation.text == "".join(r.tokens[0][2:])
    best = ask.extract(list(r.inputs[0].token_ids[:-1]), "logits", positions=slice(1, None))["logits"].argmax(axis=1)
    assert tuple(best) == continuation.token_ids


def test_a_precondition_that_does_not_hold_is_its_error(ask):
    with pytest.raises(hp.Precondition):
        ask.extract("Hello", "resid_post", model="another")
    with pytest.raises(hp.Precondition):
        ask.extract("Hello", "resid_post", numerics="another")
    with pytest.raises(hp.TooLarge, match="max_response_bytes"):
        ask.extract("Hello", "resid_post", max_response_bytes=100)


@pytest.mark.parametrize(
    "argument, call",
    [
        ("inputs", {"inputs": []}),
        ("inputs[0]", {"inputs": [""]}),
        ("inputs[1]", {"inputs": ["a", object()]}),
        ("inputs[0]", {"inputs": "\ud800"}),
        ("inputs[0][1]", {"inputs": [[1, 60000]]}),
        ("hooks", {"hooks": []}),
        ("hooks[1]", {"hooks": ["resid_post", "no_such_place"]}),
        ("hooks[1].layers[0]", {"hooks": ["resid_post", hp.hook("resid_pre", 99)]}),
        ("layers[1]", {"layers": [0, 99]}),
        ("layers", {"layers": "all of them"}),
        ("layers", {"layers": 1.5}),
        ("positions[0]", {"positions": 99}),
        ("positions", {"positions": "x:y"}),
        ("positions", {"positions": []}),
        ("heads[0]", {"hooks": "attn.hook_z", "heads": 99}),
        ("features[1]", {"features": [1, 99999]}),
        ("reduce", {"reduce": "median"}),
        ("dtype", {"dtype": "int8"}),
        ("rows", {"rows": True, "hooks": "hook_pattern"}),
        ("view", {"view": "picture"}),
        ("project.shape", {"project": np.ones(3)}),
        ("project", {"project": "text"}),
        ("edits[0].hook", {"edits": hp.zero("no_such_place", layers=0)}),
        ("edits[0].layers", {"edits": hp.zero("mlp_out")}),
        ("layers", {"edits": hp.zero("mlp_out", layers="some")}),
        ("source", {"runs": [hp.run(0, hp.patch("mlp_out", "nobody", layers=0))]}),
        ("baseline", {"runs": [hp.run(0, baseline=5)]}),
        ("runs", {"runs": []}),
        ("runs", {"runs": [hp.run(0)], "edits": hp.zero("mlp_out", layers=0)}),
        ("runs[1].key", {"runs": [hp.run(0, key="a"), hp.run(0, key="a")]}),
        ("runs[1].input", {"runs": [hp.run(0), hp.run(7)]}),
        ("metrics", {"metrics": hp.logit_diff(" not one token", " a")}),
        ("max_new_tokens", {"max_new_tokens": -1}),
        ("max_new_tokens", {"max_new_tokens": 100000}),
    ],
)
def test_errors_name_the_argument(ask, argument, call):
    call = {"inputs": "Hello", "hooks": "resid_post", **call}
    with pytest.raises(hp.InvalidArgument) as caught:
        ask.extract(call.pop("inputs"), call.pop("hooks"), **call)
    assert caught.value.argument == argument, caught.value.violations


def test_a_tensor_is_sent_as_it_is(ask, api):
    from hydrophone.requests.values import tensor as made

    assert made(VECTOR, "value").SerializeToString() == tensor(api.pb, VECTOR).SerializeToString()
