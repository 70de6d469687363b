"""The residual stream taken apart, under the names and with the meanings of TransformerLens's ActivationCache (4.3).

Values are those of the weights as they are in the file, as on its TransformerBridge before any processing. Stacks are
[component, position, width]: one input, so without the batch dimension that TransformerLens has.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias

import numpy as np

from hydrophone.connection.operation import Operation
from hydrophone.errors import InvalidArgument
from hydrophone.operations.extract import carry_out, renamed
from hydrophone.operations.parameters import parameters
from hydrophone.operations.session import Session, describe
from hydrophone.requests import extraction
from hydrophone.requests.hooks import Hook
from hydrophone.requests.inputs import Input
from hydrophone.requests.tokens import Token
from hydrophone.requests.values import Positions
from hydrophone.results.residuals import ResidualStack
from hydrophone.results.result import Result
from hydrophone.wire.tensors import Array

Part: TypeAlias = "tuple[str, str, int | None]"  # label, hook point, layer


def decompose_resid(
    session: Session,
    input: Input,
    layer: int | None = None,
    *,
    mlp_input: bool = False,
    mode: Literal["all", "mlp", "attn"] = "all",
    apply_ln: bool = False,
    pos_slice: Positions = None,
    incl_embeds: bool = True,
    prepend_bos: bool = False,
) -> Operation[ResidualStack]:
    """What each component before `layer` adds to the residual stream (None or -1: all): embeddings, and each layer's
    attention and MLP. `mlp_input` adds the layer's own attention; `apply_ln` scales as the layer's LayerNorm does.

    >>> stack = client.decompose_resid("Hello world", layer=1)
    >>> stack.labels, stack.values.shape
    (('embed', 'pos_embed', '0_attn_out', '0_mlp_out'), (4, 2, 64))
    """
    if mode not in ("all", "mlp", "attn"):
        raise InvalidArgument.of("mode", f"got {mode!r}, expected all, mlp or attn")
    depth = yield from _depth(session, layer)
    parts: list[Part] = []
    if incl_embeds:
        parts += [("embed", "hook_embed", None), ("pos_embed", "hook_pos_embed", None)]
    for number in range(depth):
        if mode != "mlp":
            parts.append((f"{number}_attn_out", "hook_attn_out", number))
        if mode != "attn":
            parts.append((f"{number}_mlp_out", "hook_mlp_out", number))
    if mlp_input and mode != "mlp":
        parts.append((f"{depth}_attn_out", "hook_attn_out", depth))
    scale = yield from _scale_point(session, depth, mlp_input)
    result = yield from _capture(session, input, parts, scale, pos_slice, prepend_bos)
    stack = _stacked(result, parts)
    return _made(result, _scaled(stack, result, scale) if apply_ln else stack, [label for label, _, _ in parts])


def accumulated_resid(
    session: Session,
    input: Input,
    layer: int | None = None,
    *,
    incl_mid: bool = False,
    mlp_input: bool = False,
    apply_ln: bool = False,
    pos_slice: Positions = None,
    prepend_bos: bool = False,
) -> Operation[ResidualStack]:
    """The residual stream at the input of each layer up to `layer`, and after the last one (None or -1). `incl_mid`
    adds the states between attention and MLP. With `apply_ln` the states of the whole depth go through ln_f, each with
    its own statistics; else they are scaled as the layer's LayerNorm scales its input.

    >>> client.accumulated_resid("Hello world", layer=2, incl_mid=True).labels
    ('0_pre', '0_mid', '1_pre', '1_mid', '2_pre')
    """
    _, model = yield from describe(session)
    depth = yield from _depth(session, layer)
    parts: list[Part] = []
    for number in range(depth + 1):
        if number == model.n_layer:
            parts.append(("final_post", "hook_resid_post", number - 1))
            continue
        parts.append((f"{number}_pre", "hook_resid_pre", number))
        if (incl_mid and number < depth) or (mlp_input and number == depth):
            parts.append((f"{number}_mid", "hook_resid_mid", number))
    scale = yield from _scale_point(session, depth, mlp_input)
    result = yield from _capture(session, input, parts, scale, pos_slice, prepend_bos)
    stack = _stacked(result, parts)
    if apply_ln and depth == model.n_layer:
        ln_f = yield from parameters(session, "ln_f", weights_sha256=result.provenance.weights_sha256)
        stack = _layer_norm(stack, ln_f["ln_f.weight"], ln_f["ln_f.bias"], model.layer_norm_epsilon)
    elif apply_ln:
        stack = _scaled(stack, result, scale)
    return _made(result, stack, [label for label, _, _ in parts])


def stack_head_results(
    session: Session,
    input: Input,
    layer: int | None = None,
    *,
    incl_remainder: bool = False,
    apply_ln: bool = False,
    pos_slice: Positions = None,
    prepend_bos: bool = False,
) -> Operation[ResidualStack]:
    """What each head of the layers before `layer` adds to the residual stream, "L0H0" first (None or -1: all layers).
    `incl_remainder` adds the rest of the stream before that layer.

    >>> client.stack_head_results("Hello world", layer=1).labels
    ('L0H0', 'L0H1', 'L0H2', 'L0H3')
    """
    _, model = yield from describe(session)
    depth = yield from _depth(session, layer)
    if depth == 0:
        raise InvalidArgument.of("layer", f"got {layer}, expected 1 to {model.n_layer}, or None")
    parts: list[Part] = [("", "attn.hook_result", number) for number in range(depth)]
    parts.append(("", "hook_resid_post", depth - 1))
    scale = yield from _scale_point(session, depth, False)
    result = yield from _capture(session, input, parts, scale, pos_slice, prepend_bos)
    heads = [np.moveaxis(result["attn.hook_result", number], 1, 0) for number in range(depth)]
    stack = np.concatenate(heads)
    labels = [f"L{number}H{head}" for number in range(depth) for head in range(model.n_head)]
    if incl_remainder:
        remainder = result["hook_resid_post", depth - 1] - stack.sum(axis=0)
        stack, labels = np.concatenate([stack, remainder[None]]), [*labels, "remainder"]
    return _made(result, _scaled(stack, result, scale) if apply_ln else stack, labels)


def logit_attrs(
    session: Session,
    residual_stack: ResidualStack,
    tokens: Token | Sequence[Token],
    incorrect_tokens: Token | Sequence[Token] | None = None,
) -> Operation[Array]:
    """What each component adds to the logit of a token, or to its difference from that of `incorrect_tokens`: float32
    [component, position]. Tokens are one for all positions, or one for each. The stack is one without `apply_ln`; it is
    scaled as ln_f scales the final state.

    >>> stack = client.decompose_resid("The capital of France is", pos_slice="last")
    >>> client.logit_attrs(stack, " Paris", " Rome").shape
    (26, 1)
    """
    digest = residual_stack.provenance.weights_sha256
    directions = yield from _directions(session, tokens, residual_stack, "tokens", digest)
    if incorrect_tokens is not None:
        wrong = yield from _directions(session, incorrect_tokens, residual_stack, "incorrect_tokens", digest)
        directions = directions - wrong
    values = residual_stack.values
    scaled = (values - values.mean(axis=-1, keepdims=True)) / residual_stack.final_scale
    return (scaled * directions).sum(axis=-1)  # type: ignore[no-any-return]


_FINAL = "ln_final.hook_scale"


def _depth(session: Session, layer: int | None) -> Operation[int]:
    """How many layers come before `layer`."""
    _, model = yield from describe(session)
    depth = model.n_layer if layer is None or layer == -1 else layer
    if not 0 <= depth <= model.n_layer:
        raise InvalidArgument.of("layer", f"got {layer}, expected 0 to {model.n_layer}, -1 or None")
    return depth


def _scale_point(session: Session, depth: int, mlp_input: bool) -> Operation[Part]:
    """The scale of the LayerNorm that reads the stream there."""
    _, model = yield from describe(session)
    if depth < model.n_layer:
        return ("", f"{'ln2' if mlp_input else 'ln1'}.hook_scale", depth)
    if mlp_input:
        raise InvalidArgument.of("mlp_input", f"got True, expected False where layer is {depth}: no MLP follows")
    return ("", _FINAL, None)


def _capture(
    session: Session, input: Input, parts: Iterable[Part], scale: Part, positions: Positions, prepend_bos: bool
) -> Operation[Result]:
    layers: dict[str, set[int]] = {}
    for _, hook, layer in [*parts, scale, ("", _FINAL, None)]:
        layers.setdefault(hook, set()).update(() if layer is None else (layer,))
    hooks = [Hook(hook, sorted(numbers) or None) for hook, numbers in layers.items()]
    asked = extraction.extract([input], hooks, positions=positions, prepend_bos=prepend_bos)
    arguments = {f"hooks[{number}].positions": "pos_slice" for number in range(len(hooks))}
    return renamed(carry_out(session, asked), {**arguments, "positions": "pos_slice", "inputs[0]": "input"})


def _stacked(result: Result, parts: Sequence[Part]) -> Array:
    if not parts:
        return np.zeros((0, *result[_FINAL].shape[:1], 0), dtype=np.float32)
    return np.stack([result[hook] if layer is None else result[hook, layer] for _, hook, layer in parts])


def _scaled(stack: Array, result: Result, scale: Part) -> Array:
    """Centred, and divided by the scale that a LayerNorm had on the whole stream."""
    _, hook, layer = scale
    return (stack - stack.mean(axis=-1, keepdims=True)) / result[hook, layer]  # type: ignore[no-any-return]


def _layer_norm(stack: Array, weight: Array, bias: Array, epsilon: float) -> Array:
    centred = stack - stack.mean(axis=-1, keepdims=True)
    variance = np.square(centred).mean(axis=-1, keepdims=True)
    return (centred / np.sqrt(variance + np.float32(epsilon)) * weight + bias).astype(np.float32)  # type: ignore[no-any-return]


def _made(result: Result, values: Array, labels: Sequence[str]) -> ResidualStack:
    return ResidualStack(values, tuple(labels), result[_FINAL], result.inputs[0], result.provenance)


def _directions(
    session: Session, tokens: Token | Sequence[Token], stack: ResidualStack, argument: str, digest: str
) -> Operation[Array]:
    """The unembedding's rows of one token, [1, width], or of one for each position, [positions, width]."""
    try:
        found = yield from parameters(session, "lm_head", tokens=tokens, weights_sha256=digest)
    except InvalidArgument as error:
        raise InvalidArgument.of(
            argument, error.violations[0].description if error.violations else str(error)
        ) from None
    directions = found["lm_head"]
    if len(directions) not in (1, stack.values.shape[1]):
        expected = f"one, or {stack.values.shape[1]}: one for each position"
        raise InvalidArgument.of(argument, f"got {len(directions)} tokens, expected {expected}")
    return directions
