"""GetParameters against Hugging Face's state dict of the same directory: every name, shape and bit."""

import shutil

import grpc
import numpy as np
import pytest
import torch
import transformers
from conftest import DEFAULT_MODEL, Server

HEAD, EMBEDDING = "lm_head.weight", "transformer.wte.weight"


def model_of(**fields):
    torch.manual_seed(0)
    config = transformers.GPT2Config(n_layer=2, n_embd=32, n_head=4, n_inner=48, n_positions=64, **fields)
    return transformers.GPT2LMHeadModel(config)


def inner_model(directory):
    model_of().transformer.save_pretrained(directory)  # names without "transformer."


CHECKPOINTS = {
    "tied": lambda directory: model_of().save_pretrained(directory),
    "untied": lambda directory: model_of(tie_word_embeddings=False).save_pretrained(directory),
    "fp16": lambda directory: model_of().half().save_pretrained(directory),
    "sharded": lambda directory: model_of().save_pretrained(directory, max_shard_size="1MB"),
    "without the prefix": inner_model,
}


def state_dict(directory):
    model = transformers.GPT2LMHeadModel.from_pretrained(directory, dtype=torch.float32)
    return {name: value.numpy() for name, value in model.state_dict().items()}, model.config.tie_word_embeddings


def assert_is_the_state_dict(client, directory):
    expected, tied = state_dict(directory)
    header, tensors = client.parameters()
    assert sorted(info.name for info, _ in tensors) == sorted(expected)
    for (info, array), listed in zip(tensors, header.parameters, strict=True):
        assert listed.name == info.name == info.hugging_face_name
        assert array.dtype == np.float32 and tuple(listed.shape) == array.shape == expected[info.name].shape
        assert array.tobytes() == expected[info.name].tobytes(), info.name
        assert listed.tied_to == (EMBEDDING if tied and info.name == HEAD else "")


@pytest.mark.parametrize("written", CHECKPOINTS)
def test_every_parameter_is_hugging_faces_to_the_bit(written, api, tmp_path):
    CHECKPOINTS[written](tmp_path)
    for name in ("vocab.json", "merges.txt"):
        shutil.copy(DEFAULT_MODEL / name, tmp_path)
    with Server(tmp_path) as server, api.connect(server.address) as client:
        assert_is_the_state_dict(client, tmp_path)


def test_so_is_every_parameter_of_the_default_model(client):
    assert_is_the_state_dict(client, DEFAULT_MODEL)


def test_rows_come_in_the_order_asked(client):
    expected, _ = state_dict(DEFAULT_MODEL)
    rows = [50256, 464, 0, 464]
    for name in ("wte.weight", HEAD):
        _, [(_, array)] = client.parameters(name, rows=rows)
        assert array.tobytes() == expected[EMBEDDING][rows].tobytes()
    _, [(_, positions)] = client.parameters("wpe.weight", rows=[1023, 0])
    assert positions.tobytes() == expected["transformer.wpe.weight"][[1023, 0]].tobytes()


def test_narrow_types_are_rounded_as_torch_does(client):
    expected, _ = state_dict(DEFAULT_MODEL)
    weight = torch.from_numpy(expected["transformer.h.3.attn.c_attn.weight"])
    for dtype, narrow in ((client.pb.DTYPE_FLOAT16, torch.float16), (client.pb.DTYPE_BFLOAT16, torch.bfloat16)):
        header, [(_, array)] = client.parameters("h.3.attn.c_attn.weight", dtype=dtype)
        assert header.data_bytes == weight.numel() * 2
        assert np.array_equal(array.astype(np.float32), weight.to(narrow).float().numpy())


def test_logit_attribution_needs_no_checkpoint(client):
    """A final state, ln_f by its parameters, times a token's row of lm_head, is that token's logit."""
    _, tensors = client.parameters("ln_f.*")
    weight, bias = (array.astype(np.float64) for _, array in tensors)
    _, [(_, [token])] = client.parameters(HEAD, rows=[464])
    extraction = client.extract(texts=["Hello world"], hook_points=["blocks.11.hook_resid_post", "logits"])
    state, logits = extraction.tensors[0][1].astype(np.float64), extraction.tensors[1][1]
    epsilon = client.model().model.layer_norm_epsilon
    normed = (state - state.mean(-1, keepdims=True)) / np.sqrt(state.var(-1, keepdims=True) + epsilon)
    np.testing.assert_allclose((normed * weight + bias) @ token, logits[:, 464], rtol=1e-5, atol=1e-5)


def test_a_list_sends_names_and_shapes_alone(client):
    header, tensors = client.parameters("h.{0,11}.*", list_only=True)
    assert not tensors
    assert len(header.parameters) == header.tensors == 24
    assert header.parameters[2].name == "transformer.h.0.attn.c_attn.weight"
    d = client.model().model.n_embd
    assert list(header.parameters[2].shape) == [d, 3 * d] and header.data_bytes > 0


def test_a_misspelt_name_is_refused_with_the_nearest(client):
    with pytest.raises(grpc.RpcError) as error:
        client.parameters("transformer.wte.wieght")
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert EMBEDDING in error.value.details()
