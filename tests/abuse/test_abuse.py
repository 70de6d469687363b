"""Raw HTTP/2 abuse: a server under attack stays within its memory, answers others, and ends when it is told to.

The attacks are scaled down; tests/run --long runs them at full size. Figures are printed at the end.
"""

import resource
import subprocess
import sys
import time

import attacks
import pytest
from conftest import FIGURES, LONG, ROOT, Server, build_directory
from watch import CONSTANT_MIB, KEPT_MIB, PATIENCE, Watch, given_back, memory_mib, peak_mib

sys.path.insert(0, str(ROOT / "tests/interop"))
from raw_http2 import Connection  # noqa: E402

BUDGET_MIB = 256
FLAGS = [f"--response_budget_bytes={BUDGET_MIB << 20}", "--max_response_bytes=16777216"]
HOLD = 3  # seconds that an attack's connections stay after all was sent


def full(count):
    """The size of an attack: all of it, or a tenth."""
    return count if LONG else count // 10


def many(connections, data, how=attacks.send):
    return lambda address: attacks.at_once(connections, lambda: how(address, data(), HOLD))


ATTACKS = {
    "rapid reset, 1 connection": many(1, lambda: attacks.rapid_resets(full(100_000))),
    "rapid reset, 8 connections": many(8, lambda: attacks.rapid_resets(full(100_000))),
    "CONTINUATION flood": many(4, lambda: attacks.continuations(full(20_000))),
    "HPACK bomb": many(4, lambda: attacks.header_bombs(full(2_000))),
    "unknown frames": many(4, lambda: attacks.unknown_frames(full(200_000))),
    "TLS on the port": many(100, lambda: attacks.TLS_HELLO),
    "HTTP/1.1 on the port": many(100, lambda: attacks.HTTP_1),
    "slowloris x 500": lambda address: attacks.slowly(address, 500, 10 if LONG else 3),
    "PING flood, unread": many(8, lambda: attacks.pings(full(3_000_000)), attacks.send_deaf),
    "SETTINGS flood, unread": many(8, lambda: attacks.settings(full(3_000_000)), attacks.send_deaf),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_a_server_under_attack_answers_others_and_gives_its_memory_back(api, name):
    with Server(flags=FLAGS) as server:
        pid = server.process.pid
        at_rest = memory_mib(pid)
        bound = at_rest + BUDGET_MIB + CONSTANT_MIB
        with Watch(api, server.address) as watch:
            ATTACKS[name](server.address)
        peak = peak_mib(pid)
        after, settled = given_back(pid, at_rest + KEPT_MIB)
        begin = time.monotonic()
        status = server.stop()
        stopped = time.monotonic() - begin
    seen = watch.seen
    FIGURES.append(
        f"{name}: peak {peak:.0f} of {bound:.0f} MiB, {len(seen.probes)} probes, {100 * seen.answered():.1f} % within "
        f"{PATIENCE:.0f} s, p99 {seen.p99():.2f} s, {after:.0f} MiB after {settled:.0f} s (at rest {at_rest:.0f}), "
        f"end in {stopped:.1f} s"
    )
    assert peak <= bound
    assert seen.answered() >= 0.95
    assert after <= at_rest + KEPT_MIB
    assert status == 0
    assert stopped < 5


def test_a_connection_that_floods_and_does_not_read_is_cut():
    """SETTINGS are not: gRPC answers so few of them that all answers find room on their way."""
    with Server(flags=FLAGS) as server:
        assert attacks.send_deaf(server.address, attacks.pings(3_000_000), 10)


@pytest.mark.parametrize("listen, peer", [("127.0.0.1:0", "ipv4:"), ("[::1]:0", "ipv6:"), ("unix:", "unix:")])
def test_a_storm_of_resets_is_cut_and_logged(tmp_path, listen, peer):
    path = f"{tmp_path}/socket" if listen == "unix:" else ""
    with Server(flags=FLAGS, listen=listen + path) as server:
        attacks.send(server.address, attacks.rapid_resets(50_000), HOLD)
        server.stop()
    cuts = [line for line in server.log if 'msg="cut a connection"' in line]
    assert any(f"peer={peer}" in line and " calls " in line for line in cuts), server.log


def test_a_call_without_a_request_is_refused_and_takes_no_place():
    with Server(flags=["--max_open_calls=1"]) as server:
        for _ in range(3):
            with Connection(server.address) as connection:
                answer = connection.call(attacks.PATH.encode(), b"")
            assert answer["grpc-status"] == "3"
            assert "without a request" in answer["grpc-message"]


def test_sigterm_is_heeded_under_a_storm_of_resets(api):
    with Server(flags=[*FLAGS, "--drain_seconds=5"]) as server:
        storm = attacks.rapid_resets(full(100_000))
        watch = Watch(api, server.address)
        with watch:
            threads = attacks.begin(8, lambda: attacks.send(server.address, storm, HOLD))
            begin = time.monotonic()
            assert server.stop() == 0
            took = time.monotonic() - begin
        for thread in threads:
            thread.join()
    FIGURES.append(f"SIGTERM under 8 connections of rapid resets: the server ended in {took:.1f} s")
    assert took < 5 + 5


def test_it_accepts_again_within_a_second_when_descriptors_were_used_up(api):
    program = ["sh", "-c", 'ulimit -n 64; exec "$0" "$@"', str(build_directory() / "bin/hydrophone-server")]
    with Server(program=program) as server:
        opened = [attacks.connect(server.address) for _ in range(200)]
        for connection in opened:
            connection.close()
        begin = time.monotonic()
        with api.connect(server.address) as client:
            client.stub.GetModel(client.pb.GetModelRequest(), timeout=20, wait_for_ready=True)
        took = time.monotonic() - begin
    FIGURES.append(f"200 connections with 64 descriptors, all closed: answered {took:.2f} s later")
    assert took < 1


def test_more_connections_than_allowed_are_closed_and_room_is_found_again(api):
    with Server(flags=["--max_connections=20"]) as server:
        opened = [attacks.connect(server.address) for _ in range(30)]
        for connection in opened[20:]:
            connection.settimeout(20)
            assert connection.recv(1) == b""
        for connection in opened:
            connection.close()
        with api.connect(server.address) as client:
            client.stub.GetModel(client.pb.GetModelRequest(), timeout=20, wait_for_ready=True)


def test_idle_connections_are_held(api):
    count = 10_000 if LONG else 300
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit[1] != resource.RLIM_INFINITY and limit[1] < count + 1000:
        pytest.skip(f"needs {count + 1000} descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit[1], limit[1]))
    with Server(flags=FLAGS) as server, Watch(api, server.address) as watch:
        pid = server.process.pid
        assert attacks.idly(server.address, count, 5) == count
        peak = peak_mib(pid)
    FIGURES.append(
        f"{count} idle connections: peak {peak:.0f} MiB, {100 * watch.seen.answered():.1f} % of "
        f"{len(watch.seen.probes)} probes within {PATIENCE:.0f} s, p99 {watch.seen.p99():.2f} s"
    )
    assert watch.seen.answered() >= 0.95


def test_memory_is_given_back_when_load_ends(api):
    """Half a gigabyte is captured for callers that read it all; without the guard the allocator keeps most of it."""
    with Server(flags=["--max_response_bytes=1073741824"]) as server, api.connect(server.address) as client:
        client.extract(texts=["warm"], hook_points=["hook_embed"])
        at_rest = memory_mib(server.process.pid)
        pb = client.pb
        request = pb.ExtractRequest(inputs=[pb.Input(token_ids=[7] * 700)], hook_points=["attn.hook_attn_scores"])
        streams = [client.stub.Extract(request, timeout=300) for _ in range(6)]  # 94 MB each
        for stream in streams:
            next(stream)
        for stream in streams:
            for _ in stream:
                pass
        peak = peak_mib(server.process.pid)
        after, took = given_back(server.process.pid, at_rest + 64)
    FIGURES.append(f"memory {at_rest:.0f} MiB at rest, {peak:.0f} at the peak, {after:.0f} after {took:.0f} s")
    assert peak > at_rest + 64, "nothing was held that could be given back"
    assert after <= at_rest + 64


def test_the_peak_is_the_process_s_own():
    """What the bounds above are compared with counts memory that is touched and freed again."""
    code = "bytearray(300 << 20); import sys; sys.stdout.write('x'); sys.stdout.flush(); sys.stdin.read()"
    with subprocess.Popen(["python3", "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.read(1)
        assert peak_mib(process.pid) > 300 > memory_mib(process.pid)
        process.stdin.close()
