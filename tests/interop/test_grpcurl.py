"""Real grpcurl against a running server: what a person with nothing but a shell gets."""

import base64

import pytest
from conftest import SERVICE

METHODS = ["GetModel", "ListHookPoints", "Tokenize", "Detokenize", "Extract", "GetParameters", "Verify"]


@pytest.fixture(scope="module")
def show(grpcurl):
    """`list` or `describe`: the lines printed."""

    def run(*verb):
        done = grpcurl(*verb)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    return run


def test_lists_the_services_and_methods(show):
    services = show("list")
    assert {SERVICE, "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"} <= set(services)
    assert sorted(show("list", SERVICE)) == sorted(f"{SERVICE}.{method}" for method in METHODS)


def test_describes_the_service(show):
    text = "\n".join(show("describe", SERVICE))
    assert "rpc Extract ( .hydrophone.v1.ExtractRequest ) returns ( stream .hydrophone.v1.ExtractResponse );" in text
    assert "rpc GetModel ( .hydrophone.v1.GetModelRequest ) returns ( .hydrophone.v1.GetModelResponse );" in text


@pytest.mark.parametrize(
    "message, line",
    [
        ("hydrophone.v1.ExtractRequest", "repeated string hook_points = 4;"),
        ("hydrophone.v1.ExtractResponse", ".hydrophone.v1.Chunk chunk = 15;"),
        ("hydrophone.v1.Intervention", ".hydrophone.v1.Positions positions = 3;"),
        ("hydrophone.v1.VerifyResponse", "repeated .hydrophone.v1.Check checks = 3;"),
        ("hydrophone.v1.View", "VIEW_PREVIEW = 2;"),
        ("grpc.health.v1.HealthCheckRequest", "string service = 1;"),
    ],
)
def test_describes_messages(show, message, line):
    assert line in [each.strip() for each in show("describe", message)]


@pytest.mark.parametrize("service", ["", SERVICE])
def test_health_says_serving(call, service):
    assert call("Check", {"service": service}, "grpc.health.v1.Health") == [{"status": "SERVING"}]


def test_health_of_an_unknown_service_is_not_found(grpcurl):
    done = grpcurl("grpc.health.v1.Health/Check", request={"service": "no.such.Service"})
    assert done.returncode != 0 and "Code: NotFound" in done.stderr


def test_get_model_says_what_is_loaded(call):
    (answer,) = call("GetModel")
    model = answer["model"]
    assert (model["n_layer"], model["n_head"], model["n_positions"], model["vocab_size"]) == (12, 4, 1024, 50257)
    assert len(model["weights_sha256"]) == 64 and len(model["tokenizer_sha256"]) == 64
    assert answer["compute"]["dtype"] == "float32" and answer["compute"]["numerics"]
    assert int(answer["limits"]["max_message_bytes"]) <= 4 << 20
    assert set(answer["versions"]) == {"server", "libtorch", "grpc", "protobuf"}


def test_lists_every_hook_point_with_its_names(call):
    (answer,) = call("ListHookPoints")
    points = {point.get("hugging_face_name"): point for point in answer["hook_points"]}
    delta = next(point for name, point in points.items() if name and name.endswith("attn.c_proj"))
    assert delta["name"].endswith("hook_attn_out") and delta["capturable"] and delta["layers"] == 12
    assert all(point["description"] for point in answer["hook_points"])


def test_one_line_gives_a_readable_answer(call):
    request = {"texts": ["Hello"], "hook_points": ["transformer.h.10.attn.c_proj"], "view": "VIEW_PREVIEW"}
    header, hello, values, trailer = call("Extract", request)
    assert (header["header"]["inputs"], header["header"]["tensors"]) == (1, 1)
    assert hello["input"]["token_ids"] == [15496] and hello["input"]["pieces"] == ["Hello"]
    info, preview = values["values"]["info"], values["values"]["preview"]
    assert info["name"] == "blocks.10.hook_attn_out" and info["hugging_face_name"] == "transformer.h.10.attn.c_proj"
    assert info["layer"] == 10 and info["shape"][0] == 1
    assert preview.startswith("[[") and preview.endswith("]]") and "..." in preview and len(preview) < 200
    assert trailer["trailer"]["tensors"] == 1


def test_every_layer_comes_when_none_is_named(call):
    request = {"texts": ["Hello"], "hook_points": ["mlp.c_proj"], "view": "VIEW_SUMMARY"}
    _, _, *values, _ = call("Extract", request)
    names = [each["values"]["info"]["name"] for each in values]
    assert names == [f"blocks.{layer}.hook_mlp_out" for layer in range(12)]
    assert all(each["values"]["summary"]["l2"] > 0 for each in values)


def test_tokenizes_and_detokenizes(call):
    (answer,) = call("Tokenize", {"texts": ["Hello world"]})
    (tokens,) = answer["inputs"]
    assert tokens["token_ids"] == [15496, 995]
    assert tokens["pieces"] == ["Hello", "Ġworld"]
    assert tokens["byte_offsets"] == [0, 5]
    (answer,) = call("Detokenize", {"sequences": [{"token_ids": tokens["token_ids"]}]})
    (text,) = answer["sequences"]
    assert text["text"] == "Hello world" and base64.b64decode(text["raw_text"]) == b"Hello world"


def test_verifies_the_lessons_sentence(call):
    (answer,) = call("Verify", {})
    assert answer["passed"] is True
    failed = [check for check in answer["checks"] if not check.get("passed")]
    assert answer["checks"] and not failed, failed
    assert len(answer["layers"]) == 12
    for layer in answer["layers"]:
        assert layer["bitwise"] is True and layer.get("max_abs", 0) == 0


def test_a_bad_request_names_each_field(refused):
    inputs = [{"token_ids": [1, 2]}, {"token_ids": [99999]}]
    status = refused("Extract", {"inputs": inputs, "hook_points": ["attn.c_proj"]})
    assert status["code"] == 3
    (violation,) = status["details"]["BadRequest"]["field_violations"]
    assert violation["field"] == "inputs[1].token_ids[0]"
    assert "99999" in violation["description"] and "50257" in violation["description"]
    info = status["details"]["ErrorInfo"]
    assert (info["reason"], info["domain"]) == ("BAD_REQUEST", "hydrophone")


def test_a_person_can_read_a_refusal(grpcurl):
    done = grpcurl(f"{SERVICE}/Extract", request={"texts": ["Hello"]})
    assert done.returncode != 0
    assert "Code: InvalidArgument" in done.stderr
    assert "hook_points" in done.stderr and "google.rpc.BadRequest" in done.stderr


def test_an_unknown_hook_point_names_near_ones(refused):
    status = refused("Extract", {"texts": ["Hello"], "hook_points": ["attn.c_porj"]})
    assert status["code"] == 3
    (violation,) = status["details"]["BadRequest"]["field_violations"]
    assert violation["field"] == "hook_points[0]"
    assert "attn.c_porj" in violation["description"] and "attn.c_proj" in violation["description"]


def test_reads_rows_of_the_embedding(call):
    request = {"parameters": [{"name": "wte.weight", "rows": [464, 0]}]}
    header, chunk, trailer = call("GetParameters", request)
    (listed,) = header["header"]["parameters"]
    assert listed["name"] == "transformer.wte.weight" and listed["shape"][0] == 50257
    assert chunk["chunk"]["info"]["shape"] == [2, listed["shape"][1]]
    assert len(base64.b64decode(chunk["chunk"]["data"])) == int(trailer["trailer"]["data_bytes"])
    assert trailer["trailer"]["tensors"] == 1


def test_lists_the_parameters_of_a_pattern(call):
    header, _ = call("GetParameters", {"parameters": [{"name": "h.3.ln_1.*"}], "list_only": True})
    names = [each["name"] for each in header["header"]["parameters"]]
    assert names == ["transformer.h.3.ln_1.weight", "transformer.h.3.ln_1.bias"]


def test_an_unknown_parameter_names_near_ones(refused):
    status = refused("GetParameters", {"parameters": [{"name": "h.3.ln_1.wieght"}]})
    (violation,) = status["details"]["BadRequest"]["field_violations"]
    assert violation["field"] == "parameters[0].name" and "h.3.ln_1.weight" in violation["description"]
