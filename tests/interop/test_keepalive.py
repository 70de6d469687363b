"""Clients without a call may ping every ten seconds; one that pings without pause is cut.

gRPC counts a strike for each ping that comes sooner after the one before than the server allows, and cuts the
connection at the third. So what is cut shows at once; what is allowed shows in real time alone, by
tests/run --long.
"""

import time

import h2.events
import pytest
from conftest import LONG
from raw_http2 import Connection

long = pytest.mark.skipif(not LONG, reason="takes 80 s: tests/run --long")


def is_goaway(event):
    return isinstance(event, h2.events.ConnectionTerminated)


def test_three_pings_at_once_are_answered(server):
    with Connection(server.address) as connection:
        for count in (1, 2, 3):
            connection.ping()
            connection.await_event(lambda event, count=count: connection.pings_answered() == count)
        assert not any(map(is_goaway, connection.events))


def test_a_client_that_pings_without_pause_is_cut(server):
    with Connection(server.address) as connection:
        for _ in range(4):
            connection.ping()
        goaway = connection.await_event(is_goaway)
        assert goaway is not None and goaway.additional_data == b"too_many_pings"


@long
def test_a_ping_every_ten_seconds_is_allowed_without_a_call(server):
    with Connection(server.address) as connection:
        for count in range(1, 9):
            connection.ping()
            assert connection.await_event(lambda event, count=count: connection.pings_answered() == count)
            assert not any(map(is_goaway, connection.events))
            time.sleep(10)
