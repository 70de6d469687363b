"""TransformerLens in the test's process: the bridge of a checkpoint on disk, and the bridge of a server."""

import contextlib
import sys

import numpy as np
import torch
import transformers
from conftest import DEFAULT_MODEL, cache_directory
from python_client import hp

PACKAGES = cache_directory() / "transformer-lens"
TOLERANCE = 5e-6  # of the largest value, as in tests/parity

sys.path.append(str(PACKAGES))  # behind what the environment has itself


@contextlib.contextmanager
def local_bridge(directory=DEFAULT_MODEL, dtype=torch.float32):
    """TransformerLens's own, which computes with Hugging Face's model: in one thread, since threads of several
    processes that wait for each other take minutes."""
    from transformer_lens.model_bridge import TransformerBridge

    model = transformers.GPT2LMHeadModel.from_pretrained(directory, dtype=dtype, attn_implementation="eager")
    tokenizer = transformers.GPT2Tokenizer.from_pretrained(directory, local_files_only=True)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode():
            yield TransformerBridge.boot_transformers(
                str(directory), hf_model=model.eval(), tokenizer=tokenizer, device="cpu", dtype=dtype
            )
    finally:
        torch.set_num_threads(threads)


def remote_bridge(server):
    return hp.transformer_lens.bridge(server.address, progress=False)


def share(got, expected):
    """The largest difference as a share of the largest value."""
    got, expected = (np.asarray(each.detach() if hasattr(each, "detach") else each) for each in (got, expected))
    assert got.shape == expected.shape, (got.shape, expected.shape)
    difference = float(np.abs(got - expected).max())
    return difference and difference / float(np.abs(expected).max())
