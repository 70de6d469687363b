"""Numbers, layers, positions and units as a person writes them."""

import numpy as np
import pytest
from python_client import hp

from hydrophone.requests import values


def test_one_or_several_whole_numbers():
    for given, expected in ((3, [3]), ([0, -1], [0, -1]), (range(2), [0, 1]), (np.array([4, 5]), [4, 5]), (None, [])):
        assert values.numbers(given, "layers") == expected


@pytest.mark.parametrize("empty", [[], (), range(0), np.zeros(0, dtype=int)])
def test_an_empty_choice_is_not_taken_for_all(server, empty):
    with hp.Client(server.address, progress=False) as client:
        for name in ("layers", "positions", "heads", "features"):
            with pytest.raises(hp.InvalidArgument, match="got none, expected at least one") as caught:
                client.extract("Hello", "attn.hook_z", **{name: empty})
            assert caught.value.argument == name
        metric = hp.logit_diff(" a", " b")
        for call in (
            lambda: client.extract("Hello", "logits", edits=hp.zero("mlp_out", layers=empty)),
            lambda: client.verify("Hello", layers=empty),
            lambda: client.patch_grid("a b", "a c", hook="resid_pre", metric=metric, layers=empty),
            lambda: client.logit_lens("Hello", layers=empty),
        ):
            with pytest.raises(hp.InvalidArgument, match="got none") as caught:
                call()
            assert caught.value.argument.endswith("layers")


def test_words_and_fractions_are_refused():
    for wrong in ("3", 1.5, [0, "1"], [0.5]):
        with pytest.raises(hp.InvalidArgument, match="expected a whole number or several"):
            values.numbers(wrong, "layers")
