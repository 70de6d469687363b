"""Complete or marked: whatever byte a connection is cut at, a client that reports success has the whole answer.

The C++ client (as the program `hydrophone`) and plain grpcio read Extract and GetParameters streams through a proxy
that cuts their connections at random bytes: 200 cuts, or 2,000 by tests/run --long. The seed is fixed; which
messages a cut falls between is the network's doing.
"""

import random
import subprocess

import conftest
import grpc
import pytest
from cutting_proxy import Cut, CuttingProxy
from hydrophone_client import Client

CUTS_EACH = 500 if conftest.LONG else 50
TEXTS = ["The quick brown fox jumps over the lazy dog. " * 3, "Hello"]
POINTS = ["hidden_states", "attn.c_proj"]
PARAMETERS = ["transformer.h.{0,1}.*", "transformer.ln_f.*"]
NEVER = 1 << 40


class Cuts:
    """Random cuts, of which some come after the whole answer: then it must be complete."""

    def __init__(self, seed):
        self._random = random.Random(seed)
        self.answer_bytes = 0  # what a connection carries from the server when it is not cut

    def __call__(self):
        if not self.answer_bytes:
            return Cut(after=NEVER)
        reset = self._random.random() < 0.5
        if self._random.random() < 0.1:  # in the request
            return Cut(after=self._random.randint(1, 400), upward=True, reset=reset)
        return Cut(after=self._random.randint(1, self.answer_bytes * 21 // 20), reset=reset)


def read_until_cut(address, seed, read):
    """Calls `read(address)` until the cuts are made; it gives the answer, or None where the client reported failure.

    What it gives must be what it gives without a cut.
    """
    cuts = Cuts(seed)
    with CuttingProxy(address, cuts) as proxy:
        whole = read(proxy.address)
        assert whole is not None
        cuts.answer_bytes = proxy.carried
        complete = refused = 0
        while proxy.cuts < CUTS_EACH:
            answer = read(proxy.address)
            if answer is None:
                refused += 1
            else:
                complete += 1
                assert answer == whole
        made = proxy.cuts
    assert refused >= made // 2, "most cuts fall into the answer"
    return (
        f"{made} cuts in answers of {cuts.answer_bytes} bytes: {refused} calls failed, {complete} complete, none wrong"
    )


def with_grpcio(api, call):
    """Reads with plain grpcio: the bytes of each tensor, or None."""

    def read(address):
        options = [("grpc.use_local_subchannel_pool", 1)]
        with grpc.insecure_channel(address, options=options) as channel:
            try:
                return [(info.SerializeToString(), array.tobytes()) for info, array in call(Client(api, channel))]
            except grpc.RpcError:
                return None

    return read


def with_program(program, arguments, directory):
    """Reads with the C++ client: the bytes of the file that it writes, or None."""

    def read(address):
        out = directory / "out.safetensors"
        command = [program, "--server", address, "--timeout", "60", *arguments, "--out", str(out)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        if done.returncode == 0:
            written = out.read_bytes()
            out.unlink()
            return written
        assert done.returncode == 3, done.stderr
        assert any(line.startswith("hydrophone: ") for line in done.stderr.splitlines()), done.stderr
        assert not list(directory.iterdir()), "a failed call leaves no file"
        return None

    return read


@pytest.mark.parametrize("method", ["Extract", "GetParameters"])
def test_grpcio_never_takes_a_part_for_the_whole(method, api, server):
    calls = {
        "Extract": lambda client: client.extract(texts=TEXTS, hook_points=POINTS, timeout=60).tensors,
        "GetParameters": lambda client: client.parameters(*PARAMETERS, timeout=60)[1],
    }
    figure = read_until_cut(server.address, 1, with_grpcio(api, calls[method]))
    conftest.FIGURES.append(f"{method} with grpcio: {figure}")


@pytest.mark.parametrize("method", ["Extract", "GetParameters"])
def test_the_client_never_takes_a_part_for_the_whole(method, program, server, tmp_path):
    hooks = [word for point in POINTS for word in ("--hook", point)]
    names = [word for name in PARAMETERS for word in ("--name", name)]
    arguments = {"Extract": ["extract", *hooks, *TEXTS], "GetParameters": ["parameters", *names]}
    figure = read_until_cut(server.address, 2, with_program(program, arguments[method], tmp_path))
    conftest.FIGURES.append(f"{method} with the C++ client: {figure}")
