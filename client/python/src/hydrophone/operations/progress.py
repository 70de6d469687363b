"""A progress bar for what takes longer than two seconds."""

from __future__ import annotations

from types import TracebackType
from typing import Any

SHOW_AFTER_SECONDS = 2.0


class Progress:
    """Counts what is done of `total` (None: unknown). The bar is tqdm's (hydrophone[progress]); without it there is
    none."""

    def __init__(self, shown: bool, total: int | None, unit: str) -> None:
        self._bar = _bar(total, unit) if shown else None

    def add(self, done: int) -> None:
        if self._bar is not None:
            self._bar.update(done)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.close()


def _bar(total: int | None, unit: str) -> Any:
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return None
    return tqdm(total=total, unit=f" {unit}", delay=SHOW_AFTER_SECONDS)
