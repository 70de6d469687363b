"""Continuations of prompts."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Continuation:
    """What the model went on with: `token_ids` and `text` are the new tokens', `prompt_ids` the prompt's."""

    prompt_ids: tuple[int, ...]
    token_ids: tuple[int, ...]
    text: str

    def __str__(self) -> str:
        return self.text
