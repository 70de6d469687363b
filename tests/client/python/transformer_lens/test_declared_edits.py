"""Declared edits as the server's edits: positions, shapes, and what is refused."""

import numpy as np
import pytest
from python_client import hp

from hydrophone.transformer_lens import batch, edits
from hydrophone.transformer_lens.names import Place

NAME = "blocks.0.hook_out"
STREAM, HEADS, SCORES = Place("stream", (0, 8), True), Place("z", (0, 2, 4), True), Place("scores", (2, 0, 0), True)
PADDED = batch.make(np.arange(10).reshape(2, 5), [[0, 0, 1, 1, 1], [1, 1, 1, 1, 1]])


def made(specification, place=STREAM, rows=PADDED):
    return list(edits.of_hook(NAME, place, specification, rows))


def value_of(edit):
    from hydrophone.proto import v1
    from hydrophone.requests.edits import RunNames, message

    tensor = message(edit, RunNames({}, 2), 1).add
    return np.frombuffer(tensor.data, "<f4").reshape(tuple(tensor.shape)) if isinstance(tensor, v1.Tensor) else None


def test_positions_count_the_padding():
    (_, first), (_, second) = made({"op": "suppress", "pos": [2, -1]})
    assert (first.positions, second.positions) == ([0, 2], [2, 4])


def test_a_value_loses_its_padding():
    whole = np.arange(40, dtype=np.float32).reshape(5, 8)
    (_, first), (_, second) = made({"op": "add", "value": whole})
    assert value_of(first).tolist() == whole[2:].tolist() and value_of(second).tolist() == whole.tolist()
    scores = np.arange(50, dtype=np.float32).reshape(2, 5, 5)
    (_, first), _ = made({"op": "add", "value": scores}, SCORES)
    assert value_of(first).tolist() == scores[:, 2:, 2:].tolist()


def test_a_value_with_a_dimension_more_has_each_rows_own():
    each = np.stack([np.zeros((5, 8)), np.ones((5, 8))])
    assert [float(value_of(edit).max()) for _, edit in made({"op": "add", "value": each})] == [0, 1]
    assert [float(value_of(edit).max()) for _, edit in made({"op": "add", "value": each[1:]})] == [1, 1]


def test_the_width_of_heads_is_all_of_theirs():
    (_, edit), _ = made({"op": "add", "value": np.arange(8)}, HEADS)
    assert value_of(edit).tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    (_, edit), _ = made({"op": "add", "value": np.arange(4)}, HEADS)
    assert value_of(edit).shape == (4,)


def test_a_patch_leaves_its_own_row():
    assert [row for row, _ in made({"op": "patch", "row": 0})] == [1]


def test_several_edits_follow_each_other():
    several = made([{"op": "scale", "factor": 2}, {"op": "add", "value": 1, "heads": [0], "features": 3}], HEADS)
    assert [(row, edit.kind) for row, edit in several] == [(0, "scale"), (1, "scale"), (0, "add"), (1, "add")]
    assert (several[-1][1].heads, several[-1][1].features) == ([0], 3)


@pytest.mark.parametrize(
    "specification, said",
    [
        ({"factor": 2}, "an 'op'"),
        ("suppress", "an 'op'"),
        ({"op": "double"}, "expected one of suppress"),
        ({"op": "scale"}, "got no 'factor'"),
        ({"op": "add"}, "got no 'value'"),
        ({"op": "patch"}, "got no 'row'"),
        ({"op": "suppress", "position": 3}, "position"),
        ({"op": "suppress", "pos": 1}, "row 0's tokens, 2 to 4"),
        ({"op": "suppress", "pos": 5}, "expected one of row 0's tokens"),
        ({"op": "suppress", "pos": "last"}, "expected a position"),
        ({"op": "add", "value": np.zeros((3, 5, 8))}, "a value for 3 rows"),
        ({"op": "patch", "row": 2}, "expected 0 to 1"),
    ],
)
def test_a_wrong_edit_is_told_by_its_hook(specification, said):
    with pytest.raises(hp.InvalidArgument, match=said) as caught:
        made(specification)
    assert caught.value.argument == f"intervene['{NAME}']"


def test_python_functions_and_points_that_cannot_be_edited_are_refused():
    with pytest.raises(NotImplementedError, match=f"a Python function at {NAME}"):
        made(lambda value, hook: value)
    with pytest.raises(NotImplementedError, match=f"an edit of {NAME}"):
        made({"op": "suppress"}, Place("scale", (0, 1), False))
