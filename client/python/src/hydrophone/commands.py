"""What the package's programs (python -m hydrophone.bulk, ...) have in common: how to reach a server, and errors as one
line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any

from hydrophone.client import Client
from hydrophone.connection.credentials import Tls
from hydrophone.errors import HydrophoneError

_INTERRUPTED = 130  # what a shell says of a program that Ctrl-C ended


def parser(module: str, description: str) -> argparse.ArgumentParser:
    """A parser with the options of how to reach a server."""
    made = argparse.ArgumentParser(prog=f"python -m hydrophone.{module}", description=description)
    group = made.add_argument_group("the server")
    group.add_argument("--server", metavar="HOST:PORT", help="default: HYDROPHONE_SERVER, or 127.0.0.1:50051")
    group.add_argument("--tls", action="store_true", help="connect with TLS")
    group.add_argument("--ca", metavar="FILE", help="the authorities to trust (PEM); means --tls")
    group.add_argument("--token-file", metavar="FILE", help="default: the token in HYDROPHONE_TOKEN, if any")
    group.add_argument("--timeout", type=float, metavar="SECONDS", help="for each request; default: none")
    group.add_argument("--in-flight", type=int, default=4, metavar="N", help="requests at once (default: 4)")
    return made


def connect(options: argparse.Namespace) -> Client:
    return Client(options.server, **connection(options))


def connection(options: argparse.Namespace) -> dict[str, Any]:
    """How to reach the server, as a client's options."""
    return {
        "tls": Tls(ca=options.ca) if options.ca else options.tls,
        "token_file": options.token_file,
        "timeout": options.timeout,
        "in_flight": options.in_flight,
    }


def run(module: str, main: Callable[[], int]) -> int:
    """The exit status of a program; an error is one line on standard error."""
    try:
        return main()
    except (HydrophoneError, OSError, ImportError) as error:
        print(f"hydrophone.{module}: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"hydrophone.{module}: interrupted", file=sys.stderr)
        return _INTERRUPTED


def number_or_text(word: str) -> int | str:
    """ "3" is a number, "last" and "2:5" are text."""
    try:
        return int(word)
    except ValueError:
        return word
