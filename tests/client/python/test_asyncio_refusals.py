"""What is not built for asyncio says so, before anything is asked or written."""

import os

import numpy as np
import pytest
from python_client import hp

CALLS = {
    "bulk": lambda client, out: hp.bulk(client, ["a"], "resid_post", out, layers=1),
    "cache_activations": lambda client, out: hp.cache_activations(client, ["a"], "resid_post", out, 1),
    "activations": lambda client, out: hp.activations(client, ["a"], "resid_post", 1),
    "report": lambda client, out: hp.report(client, out),
    "explain": lambda client, out: hp.explain(np.zeros((1, 64)), "a", "resid_post", 1, client=client),
    "replay": lambda client, out: hp.replay(out / "none.safetensors", client),
    "bridge": lambda client, out: hp.transformer_lens.bridge(client),
}


@pytest.mark.parametrize("name", CALLS)
def test_an_asyncio_client_is_refused(tmp_path, name):
    client = hp.aio.Client("127.0.0.1:1", progress=False)
    with pytest.raises(hp.InvalidArgument, match="not built for asyncio") as caught:
        CALLS[name](client, tmp_path)
    assert caught.value.argument == "client" and not os.listdir(tmp_path)


def test_options_beside_a_client_are_refused():
    with hp.Client("127.0.0.1:1") as client, pytest.raises(hp.InvalidArgument, match="timeout: got it beside a client"):
        hp.transformer_lens.bridge(client, timeout=3)
