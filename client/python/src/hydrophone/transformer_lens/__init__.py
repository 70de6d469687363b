"""TransformerLens's RemoteBridge on a Hydrophone server: `hp.transformer_lens.bridge("lab:50051")`.

Needs hydrophone[transformer-lens]. Neither it nor torch is imported before `bridge` is called.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hydrophone.client import Client, check_blocking
from hydrophone.errors import InvalidArgument
from hydrophone.extras import need

if TYPE_CHECKING:
    from hydrophone.transformer_lens.remote import Bridge


def bridge(server: str | Sequence[str] | Client | None = None, **options: Any) -> Bridge:
    """A TransformerLens bridge whose model is the server's: no checkpoint, no configuration and no tokenizer's files
    are read in this process.

    `server` is a client, which stays open when the bridge is closed, or an address with a client's `options`. The
    bridge takes what `TransformerBridge` takes: texts, lists of texts, token ids [batch, position]; its activations are
    float32 torch tensors with TransformerLens's names and shapes, on the CPU. Edits are declared: `intervene` maps a
    hook's name to {"op": ...} (hydrophone.transformer_lens.edits has the operations). What the server cannot do is
    refused by a NotImplementedError that names it.

    >>> bridge = hp.transformer_lens.bridge(client)
    >>> logits, cache = bridge.run_with_cache("Hello world")
    >>> cache["blocks.3.hook_resid_post"].shape
    torch.Size([1, 3, 64])
    >>> edited = bridge.run_with_hooks("Hello world", intervene={"blocks.5.hook_mlp_out": {"op": "suppress"}})
    >>> edited.shape, bool((edited == logits).all())
    (torch.Size([1, 3, 50257]), False)
    """
    check_blocking(server)
    if isinstance(server, Client) and options:
        raise InvalidArgument.of(next(iter(options)), "got it beside a client, expected it with an address")
    need("transformer_lens", "transformer-lens")
    from hydrophone.transformer_lens.remote import boot

    return boot(server, own=False) if isinstance(server, Client) else boot(Client(server, **options), own=True)


__all__ = ["bridge"]
