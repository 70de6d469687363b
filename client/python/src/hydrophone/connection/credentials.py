"""How a client shows whose calls it makes, and how its connections are secured."""

from __future__ import annotations

import dataclasses
import ipaddress
import os
import pathlib
import re
from collections.abc import Sequence

from hydrophone.errors import InvalidArgument, Precondition

_TOKEN = re.compile(r"[A-Za-z0-9\-._~+/=]+")


@dataclasses.dataclass(frozen=True)
class Tls:
    """Paths of PEM files: the authorities to trust (None: the system's), and the client's own certificate and key."""

    ca: str | os.PathLike[str] | None = None
    certificate: str | os.PathLike[str] | None = None
    key: str | os.PathLike[str] | None = None

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            raise InvalidArgument.of("tls", "got one of certificate and key, expected both or none")


def read_token(token: str | None, token_file: str | os.PathLike[str] | None) -> str:
    """The token given, or the file's, or HYDROPHONE_TOKEN; "" when there is none. Errors hold nothing of it."""
    if token is not None and token_file is not None:
        raise InvalidArgument.of("token_file", "got both token and token_file, expected one")
    where, found = "token", token
    if token_file is not None:
        where, found = "token_file", pathlib.Path(token_file).read_text().strip()
    elif token is None:
        where, found = "HYDROPHONE_TOKEN", os.environ.get("HYDROPHONE_TOKEN") or None
    if found is None:
        return ""
    if not _TOKEN.fullmatch(found):
        raise InvalidArgument.of(where, "got other characters, expected a token of letters, digits and -._~+/=")
    return found


def is_here(address: str) -> bool:
    """Whether an address is this machine's own. Names that gRPC resolves in ways of its own may lead anywhere."""
    if address.startswith("unix:"):
        return True
    host = address.rpartition(":")[0].strip("[]")
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_token_stays_secret(addresses: Sequence[str], token: str, tls: Tls | None, insecure: bool) -> None:
    """Refuses to send a token to another machine in plaintext."""
    away = [address for address in addresses if not is_here(address)]
    if token and away and tls is None and not insecure:
        raise Precondition(
            f"the token would go to {away[0]} in plaintext, for everyone on the way to read; nothing was sent. "
            "tls=True keeps it secret, insecure=True sends it all the same"
        )
