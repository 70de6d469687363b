"""The server's numbers on several CPUs: equal to the bit wherever its sums are the same.

`tests/run --python` asks an emulated AVX2 machine the quick questions. HYDROPHONE_TEST_MACHINES (`x86` or `arm64`:
tests/run --machines, --arm64) has the machines of that kind asked everything.
"""

import dataclasses
import os
import platform

import conftest
import grpc
import pytest
import questions
from differences import differences
from machines import AVX2, NATIVE, WITHOUT_FUSED, arm64

ASKED = os.environ.get("HYDROPHONE_TEST_MACHINES")
WHOLE = pytest.mark.skipif(not ASKED, reason="takes minutes: tests/run --machines, --arm64")
pytestmark = pytest.mark.skipif(
    conftest.server_device() != "cpu" or platform.machine() != "x86_64", reason="compares other CPUs with an x86-64"
)

# Widths that end within a vector, a panel and a block of sums.
ODD = "--n-layer 2 --n-embd 100 --n-head 5 --n-inner 900 --init-std 0.1 --activation gelu".split()
SMALL = "--n-layer 1 --n-embd 36 --n-head 2 --n-positions 64 --init-std 0.5".split()
CHECKPOINTS = {"default": None, "odd widths": ODD, "124M": ["--preset", "gpt2"]}
ACTIVATIONS = """gelu_new gelu quick_gelu relu silu tanh gelu_10 hardswish laplace leaky_relu linear mish relu2 relu6
sigmoid sqrtsoftplus""".split()
SECONDS = 3600  # for one answer of an emulated machine
AT_MOST_SHOWN = 12


@dataclasses.dataclass(frozen=True)
class Pair:
    """A server on this machine and one on another, with the same checkpoint."""

    machine: str
    checkpoint: str
    ours: object  # clients
    theirs: object

    def compare(self, question):
        """Asks both, and fails with the names of what differs."""
        tensors, numbers, found = 0, 0, []
        for fields in question(self.ours):
            ours, theirs = (client.extract(timeout=SECONDS, **fields) for client in (self.ours, self.theirs))
            tensors += len(ours.tensors) + len(ours.values)
            numbers += sum(array.size for _, array in ours.tensors)
            found += differences(ours, theirs)
        outcome = f"{len(found)} DIFFER" if found else "equal"
        asked = f"{self.machine:27}{self.checkpoint:14}{question.__name__:34}"
        conftest.FIGURES.append(f"{asked}{tensors:6} tensors{numbers:12} numbers: {outcome}")
        assert not found, listing(found)


def listing(found):
    more = [f"and {len(found) - AT_MOST_SHOWN} more"] if len(found) > AT_MOST_SHOWN else []
    return "\n".join([*map(str, found[:AT_MOST_SHOWN]), *more])


def emulated():
    if ASKED == "arm64":
        return [arm64("neoverse-n1"), arm64("max")]  # NEON alone, and all that qemu knows
    return [AVX2]


@pytest.fixture(scope="module", params=emulated(), ids=lambda machine: machine.name)
def machine(request):
    return request.param


@pytest.fixture(scope="module")
def pair(request, api, machine, random_checkpoint):
    arguments = CHECKPOINTS.get(request.param, [*SMALL, "--activation", request.param])
    directory = arguments and random_checkpoint(request.param.replace(" ", "_"), *arguments)
    with (
        NATIVE.serve(directory) as ours,
        machine.serve(directory) as theirs,
        api.connect(ours.address) as our_client,
        api.connect(theirs.address) as their_client,
    ):
        ours_compute, theirs_compute = our_client.model().compute, their_client.model().compute
        assert ours_compute.numerics == theirs_compute.numerics, "equal strings promise equal bits"
        assert theirs_compute.instruction_set == machine.instruction_set
        yield Pair(machine.name, request.param, our_client, their_client)


@pytest.mark.parametrize("pair", ["default", "odd widths", pytest.param("124M", marks=WHOLE)], indirect=True)
@pytest.mark.parametrize("question", questions.QUICK, ids=lambda question: question.__name__)
def test_every_number_is_the_same(pair, question):
    pair.compare(question)


@WHOLE
@pytest.mark.parametrize("pair", ["default", "odd widths"], indirect=True)
def test_every_point_of_the_whole_context_is_the_same(pair):
    pair.compare(questions.every_point_of_the_whole_context)


@WHOLE
@pytest.mark.parametrize("pair", ACTIVATIONS, indirect=True)
def test_every_activation_is_the_same(pair):
    pair.compare(questions.every_point)


def test_other_sums_have_another_name(api):
    """A CPU without fused multiply-adds serves other bits, and says so."""
    with (
        NATIVE.serve() as ours,
        WITHOUT_FUSED.serve() as theirs,
        api.connect(ours.address) as our_client,
        api.connect(theirs.address) as their_client,
    ):
        numerics = our_client.model().compute.numerics
        assert their_client.model().compute.numerics != numerics
        assert their_client.model().compute.batch_independent
        assert their_client.model().compute.instruction_set == WITHOUT_FUSED.instruction_set
        request = {"inputs": questions.texts(our_client, 17), "hook_points": ["hidden_states"]}
        assert differences(our_client.extract(**request), their_client.extract(**request))
        with pytest.raises(grpc.RpcError) as refused:
            their_client.extract(**request, numerics=numerics)
        assert refused.value.code() == grpc.StatusCode.FAILED_PRECONDITION
