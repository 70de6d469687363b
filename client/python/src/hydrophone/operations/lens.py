"""logit_lens: what each layer would predict."""

from __future__ import annotations

from collections.abc import Iterable

from hydrophone.connection.operation import Operation
from hydrophone.operations.extract import carry_out, renamed
from hydrophone.operations.session import Session
from hydrophone.requests import extraction
from hydrophone.requests import hooks as hook_messages
from hydrophone.requests.edits import Edit
from hydrophone.requests.inputs import Input
from hydrophone.requests.tokens import Token
from hydrophone.requests.values import Layers, Positions
from hydrophone.results.lens import LogitLens

_ARGUMENTS = {
    "inputs[0]": "input",
    "hooks[0]": "hook",
    "hooks[0].layers": "layers",
    "hooks[0].positions": "positions",
    "hooks[0].lens.top_k": "top_k",
    "hooks[0].lens": "hook",
    "hooks[0].lens.tokens": "tokens",
}


def logit_lens(
    session: Session,
    input: Input,
    *,
    layers: Layers = None,
    positions: Positions = None,
    top_k: int = 5,
    tokens: Token | Iterable[Token] | None = None,
    hook: str = "resid_post",
    edits: Edit | Iterable[Edit] | None = None,
    prepend_bos: bool = False,
) -> Operation[LogitLens]:
    """The `top_k` tokens that each layer's residual stream would predict, read through ln_f and the unembedding, the
    numbers of given `tokens`, the distribution's entropy, and its KL divergence from the final one. `hook` is a raw
    residual state. After nostalgebraist, "interpreting GPT: the logit lens" (2020).

    >>> lens = client.logit_lens("Hello world", layers=[0, -1], top_k=3, tokens=" the")
    >>> lens.top_ids.shape, lens.entropy.shape
    ((2, 2, 3), (2, 2))
    """
    chosen = hook_messages.lens(top_k, tokens, entropy=True, final_divergence=True)
    selector = hook_messages.Hook(hook, layers, positions, lens=chosen)
    asked = extraction.extract([input], selector, edits=edits, prepend_bos=prepend_bos)
    result = yield from renamed(carry_out(session, asked), _ARGUMENTS)
    return LogitLens.of(result, top_k, len(chosen.tokens))
