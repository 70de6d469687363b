"""What a person with grpcurl reads about each kind of bad input: the field's path, what was got, what is expected."""

import base64
import struct

import pytest

INPUT = {"token_ids": [15496, 995, 11, 13]}  # four tokens
CLEAN = {"inputs": [INPUT], "hook_points": ["hook_attn_out"]}


def capturing(**hook):
    return {"inputs": [INPUT], "hooks": [{"hook_point": "blocks.3.hook_mlp_out", **hook}]}


def editing(*interventions, others=(), **more):
    """One run with edits of four positions of a point of width 64, unless said otherwise; then the other runs."""
    edit = {"hook_point": "blocks.3.hook_mlp_out", "positions": {"slice": ":"}}
    return {**CLEAN, "runs": [{"interventions": [{**edit, **each} for each in interventions]}, *others], **more}


EDIT = "runs[0].interventions[0]"
OTHER_RUN = {"input": 1}
TWO_INPUTS = {"inputs": [INPUT, {"token_ids": [1, 2]}]}
NAN = base64.b64encode(struct.pack("<2f", 1.0, float("nan"))).decode()

# What is wrong: the request, and each violation's field with parts of its description.
BAD = {
    "no inputs": ({"hook_points": ["hook_attn_out"]}, {"inputs": ["no inputs", "at least one"]}),
    "an empty text": ({"texts": [""], "hook_points": ["hook_attn_out"]}, {"texts[0]": ["not empty"]}),
    "an empty input": ({**CLEAN, "inputs": [{"key": "a"}]}, {"inputs[0]": ["no tokens", "not empty"]}),
    "an id outside the vocabulary": (
        {**CLEAN, "inputs": [{"token_ids": [1, 50257]}]},
        {"inputs[0].token_ids[1]": ["got 50257,", "below 50257"]},
    ),
    "more tokens than the context": ({**CLEAN, "inputs": [{"token_ids": [5] * 1025}]}, {"inputs[0]": ["1025", "1024"]}),
    "an unknown hook point": (
        {**CLEAN, "hook_points": ["hook_attn_uot"]},
        {"hook_points[0]": ["hook_attn_uot", "hook_attn_out"]},
    ),
    "a layer out of range": (
        {"inputs": [INPUT], "hooks": [{"hook_point": "hook_mlp_out", "layers": [12]}]},
        {"hooks[0].layers[0]": ["got 12,", "-12 to 11"]},
    ),
    "a position out of range": (
        capturing(positions={"at": [0, 4]}),
        {"hooks[0].positions.at[1]": ["got 4", "-4 to 3"]},
    ),
    "a negative position out of range": (
        capturing(positions={"at": [-5]}),
        {"hooks[0].positions.at[0]": ["got -5", "-4 to 3"]},
    ),
    "a number as a slice out of range": (
        capturing(positions={"slice": "4"}),
        {"hooks[0].positions.slice": ["got 4", "-4 to 3"]},
    ),
    "a slice that is none": (
        capturing(positions={"slice": "1-2"}),
        {"hooks[0].positions.slice": ["1-2", "start:stop:step"]},
    ),
    "positions of other inputs": (
        capturing(positions={"per_input": [{"at": [0]}, {"at": [1]}]}),
        {"hooks[0].positions.per_input": ["got 2", "each of 1"]},
    ),
    "a feature out of range": (
        capturing(units={"features": [64]}),
        {"hooks[0].units.features[0]": ["got 64,", "-64 to 63"]},
    ),
    "heads where there are none": (capturing(units={"heads": [0]}), {"hooks[0].units.heads": ["has none", "no heads"]}),
    "a head out of range": (
        {"inputs": [INPUT], "hooks": [{"hook_point": "attn.hook_z", "units": {"heads": [0, 4]}}]},
        {"hooks[0].units.heads[1]": ["got 4,", "-4 to 3"]},
    ),
    "a projection of another width": (
        capturing(project={"shape": [3], "floats": [1, 2, 3]}),
        {"hooks[0].project.shape": ["got width 3,", "expected 64"]},
    ),
    "NaN in a projection": (
        capturing(units={"features": [1, 2]}, project={"shape": [2], "floats": [1, "NaN"]}),
        {"hooks[0].project.floats[1]": ["nan", "finite"]},
    ),
    "a lens on a normalised state": (
        {"inputs": [INPUT], "hooks": [{"hook_point": "hidden_states", "layers": [-1], "logit_lens": {"top_k": 1}}]},
        {"hooks[0].logit_lens": ["raw residual state"]},
    ),
    "a run of no input": ({**CLEAN, "runs": [{"input": 1}]}, {"runs[0].input": ["got 1", "below 1"]}),
    "an edit of a read-only point": (
        editing({"hook_point": "logits", "zero": {}}),
        {f"{EDIT}.hook_point": ["logits", "not edited"]},
    ),
    "an edit without layers": (
        editing({"hook_point": "hook_mlp_out", "zero": {}}),
        {f"{EDIT}.layers": ["no layers", '"*"']},
    ),
    "an edit without positions": (
        editing({"positions": None, "zero": {}}),
        {f"{EDIT}.positions": ["no positions", '":"']},
    ),
    "an edit without an operation": (editing({}), {EDIT: ["no operation", "zero, scale, add"]}),
    "an edit of a position out of range": (
        editing({"positions": {"at": [9]}, "zero": {}}),
        {f"{EDIT}.positions.at[0]": ["got 9", "-4 to 3"]},
    ),
    "a shape that does not broadcast": (
        editing({"add": {"shape": [3], "floats": [1, 2, 3]}}),
        {f"{EDIT}.add.shape": ["[3]", "[4, 64]"]},
    ),
    "a shape of another number of elements": (
        editing({"set": {"shape": [2, 2], "floats": [1, 2, 3]}}),
        {f"{EDIT}.set.shape": ["[2, 2]", "3 elements"]},
    ),
    "NaN in a vector": (
        editing({"units": {"features": [1, 2]}, "add": {"shape": [2], "floats": [1, "NaN"]}}),
        {f"{EDIT}.add.floats[1]": ["nan", "finite"]},
    ),
    "NaN in a vector's bytes": (
        editing({"units": {"features": [1, 2]}, "set": {"shape": [2], "dtype": "DTYPE_FLOAT32", "data": NAN}}),
        {f"{EDIT}.set.data": ["nan", "element 1", "finite"]},
    ),
    "an infinite factor": (editing({"scale": "Infinity"}), {f"{EDIT}.scale": ["inf", "finite"]}),
    "a direction of zeros": (
        editing({"project_out": {"shape": [64], "floats": [0] * 64}}),
        {f"{EDIT}.project_out": ["zeros", "direction"]},
    ),
    "a patch of another length": (
        editing({"patch": {"run": 1, "positions": {"at": [0]}}}, others=[OTHER_RUN], **TWO_INPUTS),
        {f"{EDIT}.patch.positions": ["got 1", "expected 4"]},
    ),
    "a patch beyond the source's tokens": (
        editing({"patch": {"run": 1}}, others=[OTHER_RUN], **TWO_INPUTS),
        {f"{EDIT}.patch.positions": ["up to 3", "below 2"]},
    ),
    "a patch from a later point": (
        editing({"patch": {"run": 1, "hook_point": "hook_resid_post"}}, others=[{}]),
        {f"{EDIT}.patch.hook_point": ["computed after", "no later"]},
    ),
    "a patch from itself": (editing({"patch": {"run": 0}}), {f"{EDIT}.patch.run": ["itself", "another run"]}),
    "edits that contradict": (
        editing({"zero": {}}, {"set": {"floats": [1]}, "positions": {"at": [2]}}),
        {"runs[0].interventions[1]": [EDIT, "set once"]},
    ),
    "generation beside edits": (editing({"zero": {}}, max_new_tokens=3), {"max_new_tokens": ["expected"]}),
    "generation in train mode": ({**CLEAN, "max_new_tokens": 3, "train_seed": 1}, {"max_new_tokens": ["expected"]}),
    "several at once": (
        {
            **editing({"scale": "NaN"}, {"positions": {"at": [7]}, "zero": {}}),
            "inputs": [INPUT, {"token_ids": [60000]}],
            "hooks": [{"hook_point": "attn.hook_z", "units": {"heads": [4]}}],
        },
        {
            "inputs[1].token_ids[0]": ["60000"],
            "hooks[0].units.heads[0]": ["got 4,"],
            f"{EDIT}.scale": ["nan"],
            "runs[0].interventions[1].positions.at[0]": ["got 7,"],
        },
    ),
}


@pytest.mark.parametrize("wrong", BAD)
def test_bad_input_is_refused_by_name(wrong, refused):
    request, expected = BAD[wrong]
    status = refused("Extract", request)
    assert (status["code"], status["details"]["ErrorInfo"]["reason"]) == (3, "BAD_REQUEST"), status
    violations = {each["field"]: each["description"] for each in status["details"]["BadRequest"]["field_violations"]}
    assert violations.keys() == expected.keys(), violations
    for field, parts in expected.items():
        assert all(part in violations[field] for part in parts), violations[field]
    assert next(iter(violations)) in status["message"]


def test_only_the_first_sixteen_violations_are_told_and_all_are_counted(refused):
    status = refused("Extract", {**CLEAN, "inputs": [{"token_ids": [50257 + i]} for i in range(20)]})
    assert len(status["details"]["BadRequest"]["field_violations"]) == 16
    assert status["details"]["ErrorInfo"]["metadata"]["violations"] == "20"
    assert status["message"].endswith(" (and 19 more)")


def test_more_tokens_than_a_request_may_have_are_too_large(refused):
    inputs = [{"token_ids": [5] * 1000}] * 17
    status = refused("Extract", {**CLEAN, "inputs": inputs})
    assert status["details"]["ErrorInfo"]["reason"] == "TOO_LARGE"
    assert "17000" in status["message"] and "16384" in status["message"]
