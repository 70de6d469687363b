"""Servers that are restarted in turn behind a client that retries and takes them in turn: no request fails."""

import json
import socket
import threading

import grpc
import pytest
from conftest import DEFAULT_MODEL, LONG, Server, server_device

RESTARTS = 10 if LONG else 4
CALLERS = 8

RETRIES = {
    "loadBalancingConfig": [{"round_robin": {}}],
    "methodConfig": [
        {
            "name": [{}],
            "retryPolicy": {
                "maxAttempts": 5,
                "initialBackoff": "0.05s",
                "maxBackoff": "1s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ],
}
OPTIONS = [
    ("grpc.service_config", json.dumps(RETRIES)),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 500),
]


def free_addresses(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    addresses = [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]
    for each in sockets:
        each.close()
    return addresses


class Load:
    """Callers that ask again as soon as they are answered."""

    def __init__(self, api, channel):
        self.stub, self.pb = api.stub(channel), api.pb
        self.answers, self.failures = 0, []
        self._stop, self._lock = threading.Event(), threading.Lock()
        self._threads = [threading.Thread(target=self._call_again_and_again) for _ in range(CALLERS)]

    def _call_again_and_again(self):
        request = self.pb.ExtractRequest(inputs=[self.pb.Input(token_ids=[7] * 16)], hook_points=["attn.c_proj"])
        while not self._stop.is_set():
            try:
                last = list(self.stub.Extract(request, timeout=60))[-1]
                complete = last.WhichOneof("part") == "trailer"
                with self._lock:
                    self.answers += complete
                    if not complete:
                        self.failures.append("ended OK without its trailer")
            except grpc.RpcError as error:
                with self._lock:
                    self.failures.append(f"{error.code()}: {error.details()}")

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def await_answers(self, more):
        """Waits for so many further answers."""
        goal = self.answers + more
        while self.answers < goal and not self.failures:
            self._stop.wait(0.01)


@pytest.mark.skipif(server_device() != "cpu", reason="two servers on one GPU")
def test_restarting_servers_in_turn_fails_no_request(api):
    addresses = free_addresses(2)
    servers = [Server(DEFAULT_MODEL, listen=address).__enter__() for address in addresses]
    try:
        with (
            grpc.insecure_channel("ipv4:" + ",".join(addresses), options=OPTIONS) as channel,
            Load(api, channel) as load,
        ):
            for number in range(RESTARTS):
                load.await_answers(20)
                which = number % 2
                assert servers[which].stop() == 0
                servers[which] = Server(DEFAULT_MODEL, listen=addresses[which]).__enter__()
                load.await_answers(20)
        assert load.failures == []
        assert load.answers >= RESTARTS * 40
    finally:
        for server in servers:
            server.__exit__()
