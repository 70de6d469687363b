"""A request that is computed in slices is answered with the same tensors as one that is computed whole, to the bit."""

import random
import threading

import numpy as np
import pytest
from conftest import DEFAULT_MODEL, Server

SLICED = ["--slice_tokens=24", "--short_tokens=4"]
POINTS = ["hidden_states", "attn.c_proj", "blocks.3.attn.hook_pattern", "blocks.5.mlp.hook_post", "ln_final.hook_scale"]


def token_lists():
    generator = random.Random(8)
    lists = [[generator.randrange(50257) for _ in range(length)] for length in (7, 30, 1, 16, 12, 3, 40, 9, 9, 2)]
    return [*lists, lists[1][:25] + [5, 6, 7], lists[1][:25] + [8]]


@pytest.fixture(scope="module")
def sliced(api):
    with Server(DEFAULT_MODEL, SLICED) as server, api.connect(server.address) as client:
        yield client


def runs(pb, count, **of_run):
    return [pb.Run(input=i, **of_run.get(f"run{i}", {})) for i in range(count)]


def requests(pb):
    lists = token_lists()
    inputs = [pb.Input(token_ids=ids) for ids in lists]
    last = pb.Positions(slice="-1:")
    from_the_tenth = pb.Positions(slice="9:")  # nothing of the short inputs
    patch = pb.Intervention(
        hook_point="blocks.4.hook_resid_pre", patch=pb.Source(run=1, positions=last), positions=last
    )
    yield "a tensor a run", {"inputs": inputs, "hook_points": POINTS}
    plain = [name for name in POINTS if "pattern" not in name]
    yield "rows", {"inputs": inputs, "hook_points": plain, "layout": pb.LAYOUT_ROWS}
    halves = [pb.HookSelector(hook_point=name, dtype=pb.DTYPE_FLOAT16, positions=from_the_tenth) for name in plain]
    yield "rows of some positions, as halves", {"inputs": inputs, "hooks": halves, "layout": pb.LAYOUT_ROWS}
    backwards = [pb.HookSelector(hook_point="blocks.2.hook_mlp_out", runs=[11, 3, 0])]
    yield "rows of runs backwards", {"inputs": inputs, "hooks": backwards, "layout": pb.LAYOUT_ROWS}
    yield "runs backwards", {"inputs": inputs, "hooks": backwards}
    mean = [pb.HookSelector(hook_point="blocks.2.hook_mlp_out", reduction=pb.REDUCTION_MEAN)]
    yield "means as rows", {"inputs": inputs, "hooks": mean, "layout": pb.LAYOUT_ROWS}
    yield "summaries", {"inputs": inputs, "hook_points": ["hook_embed"], "view": pb.VIEW_SUMMARY}
    yield (
        "summaries of rows",
        {
            "inputs": inputs,
            "hook_points": ["hook_embed"],
            "view": pb.VIEW_SUMMARY,
            "layout": pb.LAYOUT_ROWS,
        },
    )
    yield (
        "a patch",
        {
            "inputs": inputs,
            "hook_points": ["blocks.11.hook_resid_post"],
            "runs": runs(pb, 12, run9={"interventions": [patch]}),
        },
    )
    yield (
        "a baseline",
        {
            "inputs": inputs,
            "hook_points": ["blocks.11.hook_resid_post"],
            "runs": [*runs(pb, 12), pb.Run(input=6, baseline=6)],
        },
    )
    yield "train mode", {"inputs": inputs, "hook_points": ["attn.c_proj"], "train_seed": 5}
    yield "continuations", {"inputs": inputs[:6], "hook_points": ["blocks.0.hook_resid_post"], "max_new_tokens": 5}
    lens = [pb.HookSelector(hook_point="resid_post", logit_lens=pb.LogitLens(top_k=3, entropy=True), positions=last)]
    yield "a logit lens", {"inputs": inputs, "hooks": lens}


def by_name(extraction):
    """The answer's parts without their numbers, by point, layer and runs."""
    parts = {}
    for info, array in extraction.tensors:
        parts[info.name, tuple(info.runs), tuple(info.rows)] = (array.dtype, array.shape, array.tobytes())
    for values in extraction.values:
        info = values.info
        values.tensor = 0
        parts[info.name, tuple(info.runs), tuple(info.rows)] = values.SerializeToString(deterministic=True)
    return parts


def test_every_form_of_answer_is_the_same_in_slices(sliced, client, api):
    compared = 0
    for name, fields in requests(api.pb):
        whole, cut = client.extract(**fields), sliced.extract(**fields)
        assert whole.header.tensors == cut.header.tensors, name
        assert whole.header.data_bytes == cut.header.data_bytes, name
        assert by_name(whole) == by_name(cut), name
        assert [i.SerializeToString() for i in whole.inputs] == [i.SerializeToString() for i in cut.inputs], name
        compared += len(by_name(whole))
    assert compared > 500


def test_slices_are_sent_one_after_another(sliced, api):
    inputs = [api.pb.Input(token_ids=[i] * 24) for i in range(3)]
    answer = sliced.extract(inputs=inputs, hook_points=["attn.c_proj"])
    order = [(info.runs[0], info.layer) for info, _ in answer.tensors]
    assert order == [(run, layer) for run in range(3) for layer in range(12)]
    assert answer.trailer.batch_tokens == 24


def test_the_same_request_is_cut_alike_under_load(sliced, api):
    """The order of an answer's tensors depends on the request alone."""
    fields = {"inputs": [api.pb.Input(token_ids=ids) for ids in token_lists()], "hook_points": POINTS}
    alone = [(info.name, *info.runs) for info, _ in sliced.extract(**fields).tensors]
    failures = []

    def ask():
        for _ in range(5):
            order = [(info.name, *info.runs) for info, _ in sliced.extract(**fields).tensors]
            if order != alone:
                failures.append(order)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_an_answer_may_be_larger_than_the_response_budget(api):
    budget, inputs = 1 << 20, [[i] * 64 for i in range(30)]
    flags = [f"--response_budget_bytes={budget}", "--slice_tokens=64", "--short_tokens=8"]
    with Server(DEFAULT_MODEL, flags) as server, api.connect(server.address) as client:
        answer = client.extract(
            inputs=[api.pb.Input(token_ids=ids) for ids in inputs],
            hook_points=["hidden_states"],
            layout=api.pb.LAYOUT_ROWS,
        )
    assert answer.header.data_bytes > 5 * budget
    assert all(array.shape == (30 * 64, 64) for _, array in answer.tensors)
    first = answer.named("hidden_states.0")
    assert not np.array_equal(first[:64], first[64:128])
