"""The memory, processors and threads that the server is given: control groups, and an address space that runs out.

A control group is made where this user may make one (version 2 or version 1); elsewhere those tests are skipped.
"""

import contextlib
import pathlib
import re
import resource
import subprocess
import threading
import urllib.request
import uuid

import grpc
import numpy as np
import pytest
from conftest import DEFAULT_MODEL, Server, build_directory

PROGRAM = build_directory() / "bin/hydrophone-server"
MIB = 1 << 20
OTHER_MIB = 512  # kOtherMemoryBytes
EVERYTHING = ["hidden_states", "attn.c_proj", "mlp.c_proj"]
# Starts the rest of its arguments in the control group that the first one names.
IN_GROUP = ["sh", "-c", 'echo $$ >"$0/cgroup.procs" && exec "$@"']
# Starts the rest of its arguments in an address space of so many KiB.
IN_ADDRESS_SPACE = ["sh", "-c", 'ulimit -v "$0" && exec "$@"']


@contextlib.contextmanager
def control_group(controller, limits):
    """A new group with the limits {file: value} of the version that there is, where one may be made."""
    failures = []
    for parent in (pathlib.Path("/sys/fs/cgroup"), pathlib.Path("/sys/fs/cgroup", controller)):
        group = parent / f"hydrophone-{uuid.uuid4().hex}"
        try:
            group.mkdir()
        except OSError as error:
            failures.append(str(error))
            continue
        try:
            chosen = {name: value for name, value in limits.items() if (group / name).exists()}
            if chosen:
                for name, value in chosen.items():
                    (group / name).write_text(str(value))
                yield group
                return
            failures.append(f"{group} has no {' or '.join(limits)}")
        finally:
            with contextlib.suppress(OSError):
                group.rmdir()
    pytest.skip(f"no control group can be made here: {'; '.join(failures)}")


def memory_group(mebibytes):
    return control_group("memory", dict.fromkeys(("memory.max", "memory.limit_in_bytes"), mebibytes * MIB))


def run_in(group, *flags):
    command = [*IN_GROUP, str(group), str(PROGRAM), "--listen=127.0.0.1:0", "--metrics_listen=off", *flags]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def server_in(group, *flags, model=None):
    return Server(model, flags=flags, program=[*IN_GROUP, str(group), str(PROGRAM)])


def test_the_response_budget_is_what_a_container_leaves():
    with memory_group(900) as group, server_in(group) as server:
        line = next(line for line in server.log if "response_budget_bytes" in line)
    numbers = {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)\b", line)}
    assert numbers["bytes"] == 900 * MIB and str(group) in line, line
    # float16, of which the server keeps two copies in float32
    assert numbers["weights_bytes"] == pytest.approx(4 * (DEFAULT_MODEL / "model.safetensors").stat().st_size, rel=0.01)
    assert numbers["response_budget_bytes"] == (900 - OTHER_MIB) * MIB - numbers["weights_bytes"]


def test_a_start_that_cannot_fit_is_refused_with_the_numbers():
    with memory_group(500) as group:
        refused = run_in(group)
    errors = [line for line in refused.stderr.splitlines() if "level=error" in line]
    assert refused.returncode == 1 and len(errors) == 1, refused.stderr
    assert f"allows {500 * MIB} bytes" in errors[0] and f"{OTHER_MIB * MIB} for everything else" in errors[0]


def test_a_given_budget_that_cannot_fit_is_refused_with_the_numbers():
    with memory_group(900) as group:
        refused = run_in(group, f"--response_budget_bytes={800 * MIB}")
    assert refused.returncode == 1, refused.stderr
    assert f"{800 * MIB} for responses (--response_budget_bytes)" in refused.stderr


def gauge(server, name):
    """A metric without labels, now."""
    with urllib.request.urlopen(f"http://{server.metrics_address}/metrics", timeout=60) as page:
        return float(re.search(rf"^{name} (\S+)$", page.read().decode(), re.MULTILINE)[1])


def test_a_container_survives_readers_that_do_not_read(api, random_checkpoint):
    """Callers ask for everything that a text of 1024 tokens has, 116 MB each, and read nothing of it."""
    model = random_checkpoint("124M", "--preset", "gpt2")
    with contextlib.ExitStack() as stack:
        group = stack.enter_context(memory_group(1800))
        server = stack.enter_context(server_in(group, model=model))
        client = stack.enter_context(api.connect(server.address))
        pb = client.pb

        def request(first_token):  # texts that begin alike would share their memory
            ids = [first_token, *range(1023)]
            return {"inputs": [pb.Input(token_ids=ids)], "hook_points": EVERYTHING}

        size = client.extract(**request(0), validate_only=True)
        budget = gauge(server, "hydrophone_response_budget_limit_bytes")
        count = int(budget // size.header.data_bytes) + 3
        streams = [client.stub.Extract(pb.ExtractRequest(**request(i)), timeout=600) for i in range(count)]
        while gauge(server, "hydrophone_response_budget_used_bytes") + size.header.data_bytes <= budget:
            assert server.process.poll() is None, "killed"
        # A short call takes its turn after them, when all that they hold has been computed.
        assert client.extract(texts=["hello"], hook_points=["hook_embed"]).trailer is not None
        assert server.process.poll() is None
        for stream in streams:
            stream.cancel()


def test_threads_follow_the_quota_of_the_control_group(api):
    limits = {"cpu.max": "100000 100000", "cpu.cfs_quota_us": "100000"}
    with control_group("cpu", limits) as group, server_in(group) as server, api.connect(server.address) as client:
        assert client.model().compute.threads == 1


@contextlib.contextmanager
def address_space(process, more):
    """Lets a running process map `more` bytes beside what it has mapped."""
    mapped = int(pathlib.Path(f"/proc/{process.pid}/statm").read_text().split()[0]) * resource.getpagesize()
    before = resource.prlimit(process.pid, resource.RLIMIT_AS)
    resource.prlimit(process.pid, resource.RLIMIT_AS, (mapped + more, before[1]))
    yield
    resource.prlimit(process.pid, resource.RLIMIT_AS, before)


def says(error):
    """Whether ErrorInfo's reason is OUT_OF_MEMORY, and whether RetryInfo is there."""
    details = dict(error.trailing_metadata()).get("grpc-status-details-bin", b"")
    return b"OUT_OF_MEMORY" in details, b"google.rpc.RetryInfo" in details


def test_a_server_without_memory_refuses_calls_and_goes_on(api):
    """Large requests from several callers at once, in an address space that has no room for them."""
    large = {"texts": ["hello " * 900] * 4, "hook_points": ["blocks.{0,1,2}.attn.hook_pattern", *EVERYTHING]}
    outcomes = []

    def ask(client):
        for _ in range(3):
            try:
                client.extract(**large)
                outcomes.append("answered")
            except grpc.RpcError as error:
                outcomes.append((error.code(), *says(error)))

    with Server() as server, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(api.connect(server.address)) for _ in range(4)]
        before = clients[0].extract(texts=["hello"], hook_points=["attn.c_proj"])
        with address_space(server.process, 64 * MIB):
            callers = [threading.Thread(target=ask, args=(client,)) for client in clients]
            for caller in callers:
                caller.start()
            for caller in callers:
                caller.join()
            assert clients[0].extract(texts=["hello"], hook_points=["attn.c_proj"]).trailer is not None
        assert server.process.poll() is None, "".join(server.log)
        refused = [outcome for outcome in outcomes if outcome != "answered"]
        assert refused and set(refused) == {(grpc.StatusCode.RESOURCE_EXHAUSTED, True, True)}, outcomes
        clients[0].extract(**large)
        after = clients[0].extract(texts=["hello"], hook_points=["attn.c_proj"])
        assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(before.tensors, after.tensors, strict=True))


def start_in(address_space_bytes):
    """The exit status and the lines of a start in so much address space. One that serves is ended, one that hangs is
    killed."""
    command = [
        *IN_ADDRESS_SPACE,
        str(address_space_bytes >> 10),
        PROGRAM,
        "--listen=127.0.0.1:0",
        "--metrics_listen=off",
    ]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    kill = threading.Timer(60, server.kill)
    kill.start()
    lines = []
    for line in server.stderr:
        lines.append(line)
        if 'msg="serving"' in line:
            server.terminate()
    kill.cancel()
    return server.wait(), lines


def test_a_start_without_address_space_serves_or_says_what_was_refused():
    with Server() as server:
        status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    peak = int(re.search(r"VmPeak:\s+(\d+) kB", status)[1]) << 10
    refused = []
    for less in range(-128, 192, 16):
        code, lines = start_in(peak - less * MIB)
        if code != 0:
            assert code == 1 and 'level=error msg="cannot start"' in lines[-1], (less, code, lines)
            refused.append(lines[-1])
    assert any("the system refused all but" in line for line in refused), refused


def test_a_start_with_too_few_threads_is_refused_with_the_numbers():
    with control_group("pids", {"pids.max": 16}) as group:
        refused = run_in(group)
    assert refused.returncode == 1, refused.stderr
    assert re.search(r"need up to \d+ threads .* refused all but \d+: .*pids.max", refused.stderr), refused.stderr


def test_every_call_is_answered_where_the_system_gives_no_more_threads(api):
    """A thread's stack is 8 MiB of address space. gRPC wants threads of its own when many calls come at once."""
    codes = []

    def ask(client):
        for repeats in range(1, 6):
            request = {"inputs": [client.pb.Input(text="hello there " * repeats)], "hook_points": EVERYTHING}
            try:
                list(client.stub.Extract(client.pb.ExtractRequest(**request), timeout=60))
                codes.append(grpc.StatusCode.OK)
            except grpc.RpcError as error:
                codes.append(error.code())

    with Server() as server, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(api.connect(server.address)) for _ in range(16)]
        for client in clients:
            client.model()
        with address_space(server.process, 4 * MIB):
            callers = [threading.Thread(target=ask, args=(client,)) for client in clients for _ in range(3)]
            for caller in callers:
                caller.start()
            for caller in callers:
                caller.join()
        assert len(codes) == 240 and set(codes) <= {grpc.StatusCode.OK, grpc.StatusCode.RESOURCE_EXHAUSTED}, codes
