"""Channels to one server, or to several that take calls in turn."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import pathlib
from collections.abc import Iterator, Sequence
from typing import Any

import grpc

from hydrophone.connection.credentials import Tls, check_token_stays_secret, is_here, read_token
from hydrophone.errors import InvalidArgument

DEFAULT_ADDRESS = "127.0.0.1:50051"
SERVICE = "hydrophone.v1.ActivationService"

# gRPC makes a call again by itself when the server refused it before it answered, after the time that the server named
# (grpc-retry-pushback-ms, equal to RetryInfo), or after one of these when no server was reached. Of several servers,
# the next one is asked instead, without waiting for one that is not there.
_RETRY_POLICY = {"maxAttempts": 5, "initialBackoff": "0.1s", "maxBackoff": "1s", "backoffMultiplier": 2}


def _service_config(servers: int) -> str:
    codes = ["RESOURCE_EXHAUSTED"] if servers > 1 else ["RESOURCE_EXHAUSTED", "UNAVAILABLE"]
    policy = {**_RETRY_POLICY, "retryableStatusCodes": codes}
    return json.dumps({"methodConfig": [{"name": [{"service": SERVICE}], "retryPolicy": policy}]})


_MIB = 1 << 20
_OPTIONS = [
    ("grpc.max_receive_message_length", 64 * _MIB),  # the tokens of the longest text that a server's limits allow
    ("grpc.per_rpc_retry_buffer_size", 16 * _MIB),  # a request is kept whole, so that it can be sent again
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 5000),  # a server that was gone for a minute is found soon after it is back
    ("grpc.use_local_subchannel_pool", 1),  # a client that is closed leaves no connection behind
]


@dataclasses.dataclass(frozen=True)
class Settings:
    """Where the servers are and how calls are made; `timeout` is for each call, in seconds."""

    addresses: tuple[str, ...]
    tls: Tls | None
    token: str
    timeout: float | None

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        return (("authorization", f"Bearer {self.token}"),) if self.token else ()


def make_settings(
    address: str | Sequence[str] | None,
    *,
    tls: bool | Tls,
    token: str | None,
    token_file: str | os.PathLike[str] | None,
    insecure: bool,
    timeout: float | None,
) -> Settings:
    if address is None:
        address = os.environ.get("HYDROPHONE_SERVER") or DEFAULT_ADDRESS
    addresses = tuple(address.split(",") if isinstance(address, str) else address)
    if not addresses or not all(addresses):
        raise InvalidArgument.of("address", "got an empty one, expected HOST:PORT, or several")
    chosen = tls if isinstance(tls, Tls) else Tls() if tls else None
    secret = read_token(token, token_file)
    check_token_stays_secret(addresses, secret, chosen, insecure)
    return Settings(addresses, chosen, secret, timeout)


def _options(address: str, servers: int) -> list[tuple[str, Any]]:
    options = [*_OPTIONS, ("grpc.service_config", _service_config(servers))]
    # A proxy that the environment names cannot reach what only this machine has.
    return [*options, ("grpc.enable_http_proxy", 0)] if is_here(address) else options


def _channel(module: Any, address: str, settings: Settings) -> Any:
    """A channel of grpc or of grpc.aio."""
    options, tls = _options(address, len(settings.addresses)), settings.tls
    if tls is None:
        return module.insecure_channel(address, options=options)
    ca, certificate, key = (
        pathlib.Path(path).read_bytes() if path is not None else None for path in (tls.ca, tls.certificate, tls.key)
    )
    return module.secure_channel(address, grpc.ssl_channel_credentials(ca, key, certificate), options=options)


class Channels:
    """A channel for each address. `module` is grpc or grpc.aio. Thread-safe."""

    def __init__(self, settings: Settings, module: Any) -> None:
        self.channels = [_channel(module, address, settings) for address in settings.addresses]
        self._turn = itertools.count()

    def in_turn(self) -> Iterator[Any]:
        """All channels, beginning with the one whose turn it is; the others for when that one does not answer."""
        first = next(self._turn) % len(self.channels)
        return iter(self.channels[first:] + self.channels[:first])


def unary(channel: Any, method: str, request: Any, response: type[Any]) -> Any:
    """The method of a channel whose answer is one message."""
    service = method if "/" in method else f"{SERVICE}/{method}"
    return channel.unary_unary(
        f"/{service}", request_serializer=type(request).SerializeToString, response_deserializer=response.FromString
    )


def stream(channel: Any, method: str, request: Any) -> Any:
    """The method of a channel whose answer is a stream of messages, left serialized."""
    return channel.unary_stream(
        f"/{SERVICE}/{method}", request_serializer=type(request).SerializeToString, response_deserializer=None
    )
