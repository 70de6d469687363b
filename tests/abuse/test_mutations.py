"""Requests and checkpoints with wrong bytes: each is refused as what it is or works, and the server goes on.

Which bytes are wrong is drawn anew each time, by a seed that a failure names. tests/run --long tries 3,000 requests and
300 checkpoints.
"""

import os
import random
import shutil
import subprocess
import time

import grpc
import pytest
from conftest import FIGURES, LONG, SERVICE, Server, build_directory

REQUESTS, CHECKPOINTS = (3000, 300) if LONG else (300, 8)
SEED = int(os.environ.get("HYDROPHONE_TEST_SEED") or time.time())
CODES = {
    *(grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.OUT_OF_RANGE),
    *(grpc.StatusCode.NOT_FOUND, grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.RESOURCE_EXHAUSTED),
}


def mutated(data, generator):
    """The bytes after one or two changes: bits flipped, bytes overwritten, taken out, put in, repeated, or cut off."""
    data = bytearray(data)
    for _ in range(generator.randint(1, 2)):
        at = generator.randrange(len(data) + 1)
        size = generator.choice((1, 1, 2, 4, 8, 64))
        kind = generator.randrange(6)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << generator.randrange(8)
        elif kind == 1:
            data[at : at + size] = generator.randbytes(size)
        elif kind == 2:
            del data[at : at + size]
        elif kind == 3:
            data[at:at] = generator.choice((b"\xff", b"\x00", b"\x80")) * size
        elif kind == 4:
            data[at:at] = data[at : at + size]
        elif data:
            del data[max(1, at) :]
    return bytes(data)


def requests(pb):
    """Requests that are right, of every kind: {method: [message]}."""
    text, ids = pb.Input(text="Plants make fantastic pets"), pb.Input(token_ids=[1, 2, 3, 4])
    selectors = [
        pb.HookSelector(hook_point="attn.hook_pattern", layers=[0, -1]),
        pb.HookSelector(hook_point="logits", positions=pb.Positions(slice="-1:")),
    ]
    everywhere = pb.Positions(slice=":")
    edits = [
        pb.Intervention(hook_point="hook_mlp_out", layers=[1], positions=everywhere, zero=pb.Zero()),
        pb.Intervention(hook_point="hook_embed", positions=pb.Positions(at=[-1]), scale=2.0),
    ]
    return {
        "Extract": [
            pb.ExtractRequest(inputs=[text, ids], hook_points=["hidden_states", "attn.c_proj"]),
            pb.ExtractRequest(inputs=[ids], hooks=selectors),
            pb.ExtractRequest(
                inputs=[text], hook_points=["logits"], runs=[pb.Run(), pb.Run(interventions=edits, baseline=0)]
            ),
        ],
        "GetParameters": [pb.GetParametersRequest(parameters=[pb.ParameterSelector(name="wte.weight", rows=[0, 4])])],
        "Tokenize": [pb.TokenizeRequest(texts=["Plants make", " fantastic pets"])],
        "Detokenize": [pb.DetokenizeRequest(sequences=[pb.TokenSequence(token_ids=[1, 2, 3])])],
        "Verify": [pb.VerifyRequest(inputs=[text])],
    }


def test_mutated_requests_are_answered_or_refused_and_nothing_else(api):
    generator = random.Random(SEED)
    codes = {}
    with Server() as server, grpc.insecure_channel(server.address) as channel:
        seeds = [(method, each.SerializeToString()) for method, some in requests(api.pb).items() for each in some]
        for method, data in seeds:
            assert code_of(channel, method, data) == grpc.StatusCode.OK, method
        for number in range(REQUESTS):
            method, data = generator.choice(seeds)
            data = mutated(data, generator)
            code = code_of(channel, method, data)
            assert code in CODES, (SEED, number, method, data.hex(), code)
            codes[code.name] = codes.get(code.name, 0) + 1
        with api.connect(server.address) as client:
            assert client.extract(texts=["hello"], hook_points=["hook_embed"]).trailer is not None
        assert server.process.poll() is None
    FIGURES.append(f"{REQUESTS} mutated requests: {codes}")
    assert len(codes) > 1


def code_of(channel, method, data):
    """The code of a call with these bytes as its message; every method is called as if it streamed."""
    call = channel.unary_stream(f"/{SERVICE}/{method}", lambda sent: sent, lambda received: received)
    try:
        for _ in (stream := call(data, timeout=60)):
            pass
    except grpc.RpcError as error:
        return error.code()
    return stream.code()


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "vocab.json", "merges.txt"])
def test_mutated_checkpoints_load_or_are_refused_in_one_line(random_checkpoint, tmp_path, name):
    """Of the weights, the header's first thousand bytes are changed: any number is a weight."""
    source = random_checkpoint("small", "--n-layer", "1", "--n-embd", "8", "--n-head", "1", "--n-positions", "16")
    program = build_directory() / "bin/hydrophone-server"
    generator = random.Random(f"{SEED} {name}")
    whole = (source / name).read_bytes()
    loaded = 0
    for number in range(CHECKPOINTS // 4):
        directory = shutil.copytree(source, tmp_path / str(number))
        (directory / name).write_bytes(mutated(whole[:1000], generator) + whole[1000:])
        done = subprocess.run(
            [program, "--check", f"--model={directory}", "--log_format=logfmt"],
            capture_output=True,
            text=True,
            timeout=120,
        )
        errors = [line for line in done.stderr.splitlines() if "level=error" in line]
        assert (done.returncode, len(errors)) in {(0, 0), (1, 1)}, (SEED, number, done.returncode, done.stderr)
        loaded += done.returncode == 0
        shutil.rmtree(directory)
    FIGURES.append(f"{CHECKPOINTS // 4} mutated {name}: {loaded} load, the others are refused in one line")
