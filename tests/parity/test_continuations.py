"""max_new_tokens: greedy ids equal Hugging Face's, and the captures are a clean run's over prompt and continuation."""

import shutil

import hugging_face
import pytest
import safetensors.numpy
from conftest import DEFAULT_MODEL, Server

END = hugging_face.END_OF_TEXT
RANDOM = [
    *["--n-layer", "3", "--n-embd", "60", "--n-head", "5", "--n-inner", "100"],
    *["--n-positions", "128", "--init-std", "0.15", "--untied"],
]
PROMPTS = [[15496, 11, 616], [464, 5822, 338, 1175], [40], [5962, 22307, 25, 198, 8421]]
NEW = 24
POINTS = ["hidden_states", "attn.hook_pattern", "mlp.hook_post", "logits"]


def ending_soon(source, directory):
    """A copy of an untied checkpoint whose lm_head prefers the end of text, so that a prompt ends before NEW tokens."""
    shutil.copytree(source, directory)
    weights = safetensors.numpy.load_file(source / "model.safetensors")
    head = weights["lm_head.weight"].copy()
    head[END] *= 2.5
    safetensors.numpy.save_file({**weights, "lm_head.weight": head}, directory / "model.safetensors", {"format": "pt"})
    return directory


@pytest.fixture(scope="module", params=["default", "random", "ends soon"])
def served(request, api, random_checkpoint, tmp_path_factory):
    directory = DEFAULT_MODEL
    if request.param != "default":
        directory = random_checkpoint("n_inner_100_untied", *RANDOM)
    if request.param == "ends soon":
        directory = ending_soon(directory, tmp_path_factory.mktemp("ends") / "soon")
    with Server(directory) as server, api.connect(server.address) as client:
        yield client, hugging_face.load(directory, "sdpa"), request.param


def test_the_ids_are_hugging_faces(served):
    client, model, checkpoint = served
    extraction = client.extract(
        inputs=[client.pb.Input(token_ids=ids) for ids in PROMPTS], hook_points=["hook_embed"], max_new_tokens=NEW
    )
    lengths = []
    for prompt, info in zip(PROMPTS, extraction.inputs, strict=True):
        expected, lead = hugging_face.generated(model, prompt, NEW)
        assert lead > 1e-4, "a tie: take another prompt"
        assert list(info.token_ids) == prompt + expected
        assert len(info.pieces) == len(info.byte_offsets) == len(info.token_ids)
        lengths.append(len(expected))
    assert extraction.header.tokens == sum(map(len, PROMPTS)) + sum(lengths)
    if checkpoint == "ends soon":
        assert min(lengths) < NEW


def test_the_captures_are_a_clean_runs_over_the_whole_sequence(served):
    client, _, _ = served
    inputs = [client.pb.Input(token_ids=ids) for ids in PROMPTS]
    extraction = client.extract(inputs=inputs, hook_points=POINTS, max_new_tokens=NEW)
    whole = [client.pb.Input(token_ids=info.token_ids) for info in extraction.inputs]
    clean = client.extract(inputs=whole, hook_points=POINTS)
    assert [info for info, _ in extraction.tensors] == [info for info, _ in clean.tensors]
    for (info, ours), (_, theirs) in zip(extraction.tensors, clean.tensors, strict=True):
        assert ours.tobytes() == theirs.tobytes(), info.name


def test_a_continuation_stops_at_the_context_or_is_refused(served):
    client, model, _ = served
    context = model.config.n_positions
    ids = [1] * (context - 2)
    request = client.pb.ExtractRequest(
        inputs=[client.pb.Input(token_ids=ids)], hook_points=["hook_embed"], max_new_tokens=8
    )
    with pytest.raises(Exception, match=str(context)):
        client.read(client.stub.Extract(request))
