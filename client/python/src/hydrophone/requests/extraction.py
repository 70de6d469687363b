"""One call of extract, checked and as a request."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

from hydrophone.errors import InvalidArgument
from hydrophone.proto import v1
from hydrophone.requests import effects, values
from hydrophone.requests import hooks as hook_messages
from hydrophone.requests import inputs as input_messages
from hydrophone.requests import metrics as metric_messages
from hydrophone.requests import runs as run_messages
from hydrophone.requests.edits import Edit, RunNames
from hydrophone.requests.hooks import FIELDS, Hook, Hooks, Lens, Summarize
from hydrophone.requests.inputs import Input, Inputs
from hydrophone.requests.metrics import Metric
from hydrophone.requests.runs import Run
from hydrophone.requests.tokens import TokenIds
from hydrophone.requests.values import Layers, Numbers, Positions, Values
from hydrophone.requests.words import Words


@dataclasses.dataclass(frozen=True)
class Extraction:
    """What a call asks. Client.extract describes the arguments."""

    inputs: list[Input]
    hooks: list[Hook]
    runs: list[Run]  # empty: each input is one run without edits
    metrics: tuple[Metric, ...]
    options: dict[str, Any]  # fields of the request
    input_options: dict[str, bool]
    shared: frozenset[tuple[int, str]]  # (hook, argument): where a hook has an argument of the call
    edits_are_shared: bool  # the runs were made of the call's edits

    @property
    def texts_of_tokens(self) -> list[str]:
        """The tokens that are named by their text."""
        lenses = [hook.lens.tokens for hook in self.hooks if hook.lens is not None]
        named = [*lenses, *(metric.tokens for metric in self.metrics)]
        return [token for tokens in named for token in tokens if isinstance(token, str)]

    def request(self, tokens: TokenIds, n_layer: int) -> tuple[Any, Words]:
        """The request, and which argument each of its fields was made of."""
        words, known = Words(), self._run_names()
        request = v1.ExtractRequest()
        _fill(request, self.options)
        words.add("layout", "rows")
        for number, given in enumerate(self.inputs):
            request.inputs.append(input_messages.message(given, f"inputs[{number}]", **self.input_options))
        for number, hook in enumerate(self.hooks):
            request.hooks.append(hook_messages.message(hook, tokens, known))
            self._name(words, number)
        for number, run in enumerate(self.runs):
            request.runs.append(run_messages.message(run, known, n_layer))
            if self.edits_are_shared:
                words.add(f"runs[{number}].interventions", "edits")
        for metric in self.metrics:
            request.metrics.append(metric_messages.message(metric, tokens, known))
        return request, words

    def _run_names(self) -> RunNames:
        return run_messages.names(self.runs or [Run(number) for number in range(len(self.inputs))])

    def _name(self, words: Words, number: int) -> None:
        """Says which arguments a selector's fields were made of: the call's, or the hook's own."""
        selector = f"hooks[{number}]"
        words.add(f"{selector}.hook_point", selector)
        for argument, field in FIELDS.items():
            name = argument if (number, argument) in self.shared else f"{selector}.{argument}"
            words.add(f"{selector}.{field}", name)
            if argument == "lens":
                words.add(f"{selector}.{field}.token_ids", f"{name}.tokens")


def extract(
    inputs: Inputs,
    hooks: Hooks = (),
    *,
    layers: Layers = None,
    positions: Positions = None,
    heads: Numbers | None = None,
    features: Numbers | None = None,
    reduce: str | None = None,
    project: Values | None = None,
    lens: Lens | None = None,
    summary: Summarize | None = None,
    view: str | None = None,
    dtype: str | None = None,
    rows: bool = False,
    edits: Edit | Iterable[Edit] | None = None,
    runs: Iterable[Run] | None = None,
    metrics: Metric | Iterable[Metric] = (),
    train_seed: int | None = None,
    train_seeds: Sequence[int] = (),
    max_new_tokens: int = 0,
    prepend_bos: bool = False,
    literal_specials: bool = False,
    truncate: bool = False,
    skip_bad_inputs: bool = False,
    validate_only: bool = False,
    model: str = "",
    numerics: str = "",
    max_response_bytes: int = 0,
) -> Extraction:
    """Runs the model on texts, bytes or token ids and captures the values at hook points.

    `inputs` is one input or many (a list of whole numbers is one input of token ids); any number of them goes to the
    server in as many requests as its limits ask for, several at once, and comes back in order. `hooks` are names as the
    server lists them, patterns of these ("blocks.3.*"), or hp.hook(...) with choices of their own.

    What is sent of each: `layers` and `positions` (numbers, negative ones from the end; positions also a slice, "last",
    or hp.per_run), `heads`, `features`; `reduce` ("mean" or "max" over the positions); `project` (a vector [width] or
    matrix [k, width] whose dot products come instead); `lens` (hp.lens); `summary` (hp.Summarize); `view` ("array",
    "preview", "floats", "summary"); `dtype` ("float32", "float16", "bfloat16"); `rows` puts all inputs' rows into one
    array for each hook point and layer, [rows of all inputs, width].

    What is run: each input once, unless `runs` (hp.run) says otherwise; with `edits` in all of them; in train mode,
    with dropout, by `train_seed`, or once for each of `train_seeds`; after `max_new_tokens` greedy continuations.
    `metrics` (hp.logit_diff, ...) are computed from the runs' logits.

    `prepend_bos`, `literal_specials` and `truncate` are every input's, unless hp.Text says otherwise; `skip_bad_inputs`
    goes on without bad inputs, whose InputInfo says why; `validate_only` computes nothing: the result has the inputs,
    and how many `data_bytes` the captures would have. `model` and `numerics` are preconditions; an answer of more than
    `max_response_bytes` is refused for each request.

    InvalidArgument: an argument is wrong, or would change nothing beside the others, as `layers` of hooks that all have
    their own, or `dtype` of previews.

    >>> r = client.extract("Hello world", ["attn.c_proj", "mlp.c_proj", "hidden_states"], layers=10)
    >>> r["attn.c_proj", 10].shape
    (2, 64)
    >>> client.extract(["Hello", "Hi there"], "resid_post", layers=-1, positions="last", rows=True)["resid_post"].shape
    (2, 64)
    """
    given = input_messages.as_list(inputs)
    if not given:
        raise InvalidArgument.of("inputs", "got none, expected at least one")
    call: dict[str, Any] = {"layers": layers, "positions": positions, "heads": heads, "features": features}
    call |= {"reduce": reduce, "project": project, "lens": lens, "summary": summary}
    chosen, shared = _with_shared(hook_messages.as_hooks(hooks), call)
    measured = (metrics,) if isinstance(metrics, Metric) else tuple(metrics)
    if not chosen and not measured:
        raise InvalidArgument.of("hooks", "got none, expected at least one, or metrics")
    effects.check_choices(call, chosen, shared)
    options: dict[str, Any] = {
        "view": values.choice("view", view, hook_messages.VIEWS),
        "dtype": values.dtype(dtype),
        "layout": v1.LAYOUT_ROWS if rows else 0,
        "max_new_tokens": max_new_tokens,
        "skip_bad_inputs": skip_bad_inputs,
        "validate_only": validate_only,
        "model": model,
        "numerics": numerics,
        "max_response_bytes": max_response_bytes,
    }
    if train_seed is not None:
        options["train_seed"] = train_seed
    input_options = {"prepend_bos": prepend_bos, "literal_specials": literal_specials, "truncate": truncate}
    made = _runs(len(given), runs, run_messages.as_edits(edits), train_seeds)
    effects.check_seeds(train_seed, train_seeds, made)
    effects.check_form(chosen, made, view, dtype, rows)
    return Extraction(given, chosen, made, measured, options, input_options, shared, runs is None)


def _runs(inputs: int, runs: Iterable[Run] | None, edits: Sequence[Edit], train_seeds: Sequence[int]) -> list[Run]:
    if runs is None:
        return run_messages.for_inputs(inputs, edits, train_seeds)
    if edits or train_seeds:
        raise InvalidArgument.of("runs", "got runs beside edits or train_seeds, which are the runs' own then")
    listed = list(runs)
    if not listed:
        raise InvalidArgument.of("runs", "got none, expected at least one")
    return listed


def _fill(request: Any, options: dict[str, Any]) -> None:
    for name, value in options.items():
        try:
            setattr(request, name, value)
        except (TypeError, ValueError) as error:
            raise InvalidArgument.of(name, f"got {value!r}: {error}") from None


def _with_shared(hooks: list[str | Hook], call: dict[str, Any]) -> tuple[list[Hook], frozenset[tuple[int, str]]]:
    """The hooks with the call's arguments where they have none of their own, and where that was."""
    chosen: list[Hook] = []
    shared: set[tuple[int, str]] = set()
    for number, given in enumerate(hooks):
        hook = Hook(given) if isinstance(given, str) else given
        taken = {name: value for name, value in call.items() if value is not None and getattr(hook, name) is None}
        shared.update((number, name) for name in taken)
        chosen.append(dataclasses.replace(hook, **taken))
    return chosen, frozenset(shared)
