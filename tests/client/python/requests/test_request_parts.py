"""Requests cut into parts that together give the same answer."""

import python_client  # noqa: F401

from hydrophone.proto import v1
from hydrophone.requests.parts import Part, join, request_for, smallest
from hydrophone.requests.split import Cost, fill, most_tokens


def request(inputs=4, runs=(), **fields):
    made = v1.ExtractRequest(inputs=[v1.Input(text=str(number)) for number in range(inputs)], **fields)
    for number, others in runs:
        run = made.runs.add(input=number)
        for other in others:
            run.interventions.add().patch.run = other
    return made


def ends(parts):
    return [(part.first_input, part.inputs, part.first_run, part.runs) for part in parts]


def test_inputs_without_runs_are_cut_one_by_one():
    assert ends(smallest(request(3))) == [(0, 1, 0, 1), (1, 1, 1, 1), (2, 1, 2, 1)]


def test_a_run_stays_with_what_it_reads():
    made = request(4, [(0, []), (1, [0]), (2, []), (3, [])])
    made.runs[3].baseline = 2
    assert ends(smallest(made)) == [(0, 2, 0, 2), (2, 2, 2, 2)]


def test_runs_out_of_order_and_unknown_ones_are_not_cut():
    assert len(smallest(request(2, [(1, []), (0, [])]))) == 1
    assert len(smallest(request(2, [(0, [7]), (1, [])]))) == 1
    assert len(smallest(request(2, [(0, []), (7, [])]))) == 1


def test_selectors_that_name_runs_find_some_in_each_part():
    for runs, parts in (([0, 1, 2], 3), ([2, 0, 1], 1), ([0, 1], 1)):
        assert len(smallest(request(3, hooks=[v1.HookSelector(hook_point="z", runs=runs)]))) == parts
        assert len(smallest(request(3, metrics=[v1.Metric(runs=runs)]))) == parts


def test_positions_that_are_listed_run_by_run_are_not_taken_apart():
    positions = v1.Positions(per_input=[v1.Positions(slice=":")] * 3)
    assert len(smallest(request(3, hooks=[v1.HookSelector(hook_point="z", positions=positions)]))) == 1


def test_a_parts_request_is_numbered_from_nought():
    made = request(4, [(0, []), (1, []), (2, []), (3, [2])], dtype=v1.DTYPE_FLOAT16, train_seed=0)
    made.hooks.add(hook_point="z", runs=[0, 1, 2, 3])
    made.runs[3].baseline = 2
    part = request_for(Part(2, 2, 2, 2), made)
    assert [each.text for each in part.inputs] == ["2", "3"]
    assert [run.input for run in part.runs] == [0, 1]
    assert part.runs[1].baseline == 0 and part.runs[1].interventions[0].patch.run == 0
    assert list(part.hooks[0].runs) == [0, 1]
    assert part.dtype == v1.DTYPE_FLOAT16 and part.HasField("train_seed")
    assert made.runs[3].baseline == 2, "the whole is left as it was"


def test_parts_are_joined_and_filled_in_order():
    parts = [Part(number, 1, number, 1) for number in range(5)]
    assert join(parts[1], parts[3]) == Part(1, 3, 1, 3)
    costs = [Cost(1, tokens, 1, 1) for tokens in (4, 4, 9, 1, 1)]
    assert fill(costs, Cost(2, 8, 99, 99)) == [range(0, 2), range(2, 3), range(3, 5)]
    assert fill([Cost(1, 1, 1, 1)] * 5, Cost(2, 99, 99, 99)) == [range(0, 2), range(2, 4), range(4, 5)]
    assert fill([Cost(1, 1, 3, 1)] * 2, Cost(9, 99, 5, 99)) == [range(0, 1), range(1, 2)]
    assert fill([Cost(1, 1, 1, 3)] * 2, Cost(9, 99, 99, 5)) == [range(0, 1), range(1, 2)]


def test_an_inputs_tokens_have_a_bound_that_needs_no_tokenizer():
    assert most_tokens(v1.Input(text="caf\u00e9", prepend_bos=True), 100) == 6
    assert most_tokens(v1.Input(token_ids=[1] * 9), 5) == 9
    assert most_tokens(v1.Input(raw_text=b"a" * 9, truncate=True), 5) == 5
