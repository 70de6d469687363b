"""What the blocking and the asyncio client are both made of."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Generic, TypeVar

from hydrophone.connection import channels
from hydrophone.connection.credentials import Tls
from hydrophone.operations.session import Session

D = TypeVar("D")


class Connected(Generic[D]):
    """A client's settings, the session with its server, and the driver that makes its calls."""

    def __init__(
        self,
        address: str | Sequence[str] | None = None,
        *,
        tls: bool | Tls = False,
        token: str | None = None,
        token_file: str | os.PathLike[str] | None = None,
        insecure: bool = False,
        timeout: float | None = None,
        in_flight: int = 4,
        progress: bool = True,
    ) -> None:
        settings = channels.make_settings(
            address, tls=tls, token=token, token_file=token_file, insecure=insecure, timeout=timeout
        )
        self.address = ",".join(settings.addresses)
        self.session = Session(in_flight, progress)
        self.driver = self._drive(settings)

    def _drive(self, settings: channels.Settings) -> D:
        raise NotImplementedError
