"""What the report asks a server."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator

from hydrophone.client import Client
from hydrophone.errors import InvalidArgument, Precondition
from hydrophone.requests.metrics import logit_diff
from hydrophone.requests.words import Words
from hydrophone.results.grid import PatchGrid
from hydrophone.results.lens import LogitLens
from hydrophone.results.records import ModelInfo, Provenance
from hydrophone.results.result import Result
from hydrophone.results.verification import Verification

# The lessons' own sentence, layer and mask, and the text of the lesson about the final state.
LESSON = "Plants make fantastic pets because they don't leave a mess after you feed them."
LESSON_LAYER = 10
LESSON_MAX_ABS = 30.0
FINAL = "hello"

# What is patched, and measured by the logit of the first answer minus that of the second.
CLEAN, CORRUPT = "The capital of France is", "The capital of Italy is"
ANSWERS = (" Paris", " Rome")

# Where the lesson's mask hides nothing, the one that leaves 99 % of each array.
_QUANTILE = 0.99

# A logit lens is read at so many positions, the last ones: more make a picture too wide to read.
_LENS_POSITIONS = 8


@dataclasses.dataclass(frozen=True)
class Question:
    """What a report is about. The arguments of hp.report."""

    text: str = LESSON
    final_text: str = FINAL
    clean: str = CLEAN
    corrupt: str = CORRUPT
    answers: tuple[str, str] = ANSWERS
    layer: int | None = None
    max_abs: float | None = None
    quantile: float | None = None


@dataclasses.dataclass(frozen=True)
class Mask:
    """The rule by which elements are left out: a largest magnitude, or a quantile of each array's magnitudes."""

    max_abs: float | None
    quantile: float | None
    instead: bool = False  # of the lesson's, which would hide nothing

    def __str__(self) -> str:
        if self.max_abs is not None:
            return f"magnitudes of at most {self.max_abs:g}"
        return f"magnitudes of at most the {self.quantile:g} quantile of their own array"


@dataclasses.dataclass(frozen=True, eq=False)
class Answers:
    """What the server said."""

    model: ModelInfo
    layer: int
    lesson: Result
    verified: Verification
    mask: Mask
    final: Result
    final_verified: Verification
    lens: LogitLens
    grid: PatchGrid | InvalidArgument  # why there is none

    @property
    def provenance(self) -> Provenance:
        return self.lesson.provenance


def ask(client: Client, question: Question, step: Callable[[str], None]) -> Answers:
    """Asks everything; `step` hears what is asked next."""
    step("asking which model the server has")
    model = client.model()
    layer = _layer(question.layer, model.n_layer)
    step("capturing the deltas, the states and an attention pattern")
    with _named({"inputs[0]": "text"}):
        lesson = client.extract([question.text], _hooks(layer, model))
        step("verifying them")
        verified, mask = _verify(client, question)
    step("capturing and verifying the final state")
    with _named({"inputs[0]": "final_text"}):
        final = client.extract([question.final_text], ["hidden_states", "resid_post"], layers=-1)
        final_verified = client.verify([question.final_text], layers=-1, skip_reference=True)
    step("reading the logit lens")
    with _named({"input": "clean"}):
        lens = client.logit_lens(question.clean, positions=slice(-_LENS_POSITIONS, None))
    step("patching every layer and position")
    grid = _patch(client, question)
    _check_one_model([lesson.provenance, verified.provenance, final.provenance, final_verified.provenance])
    return Answers(model, layer, lesson, verified, mask, final, final_verified, lens, grid)


def _hooks(layer: int, model: ModelInfo) -> list[str]:
    everywhere = ["attn.c_proj", "mlp.c_proj", "hidden_states", "hook_reconstruction_residual"]
    return [*everywhere, f"blocks.{model.n_layer - 1}.hook_resid_post", f"blocks.{layer}.attn.hook_pattern"]


def _verify(client: Client, question: Question) -> tuple[Verification, Mask]:
    mask = Mask(question.max_abs, question.quantile)
    if mask.max_abs is None and mask.quantile is None:
        mask = Mask(LESSON_MAX_ABS, None)
        verified = _verify_with(client, question, mask)
        if any(each.hidden_share > 0 for each in verified.layers):
            return verified, mask
        mask = Mask(None, _QUANTILE, instead=True)
    return _verify_with(client, question, mask), mask


def _verify_with(client: Client, question: Question, mask: Mask) -> Verification:
    # The float64 reference is left out: it takes a hundred forward passes, and no picture shows it.
    return client.verify([question.text], max_abs=mask.max_abs, quantile=mask.quantile, skip_reference=True)


def _patch(client: Client, question: Question) -> PatchGrid | InvalidArgument:
    """The grid; for a tokenizer that makes other tokens of the default texts than GPT-2's, why there is none."""
    try:
        with _named({"metrics": "answers"}):
            return client.patch_grid(question.clean, question.corrupt, metric=logit_diff(*question.answers))
    except InvalidArgument as error:
        if (question.clean, question.corrupt, question.answers) != (CLEAN, CORRUPT, ANSWERS):
            raise
        return error


def _layer(layer: int | None, layers: int) -> int:
    if layer is None:
        return min(LESSON_LAYER, layers - 1)
    if not -layers <= layer < layers:
        raise InvalidArgument.of("layer", f"got {layer}, expected {-layers} to {layers - 1}")
    return layer % layers


@contextlib.contextmanager
def _named(arguments: dict[str, str]) -> Iterator[None]:
    """Errors inside name the report's arguments."""
    try:
        yield
    except InvalidArgument as error:
        raise error.reworded(Words(arguments)) from None


def _check_one_model(answers: list[Provenance]) -> None:
    """Several servers may have answered."""
    found = sorted({(each.model, each.weights_sha256, each.numerics) for each in answers})
    if len(found) > 1:
        listed = "; ".join(f"{name}, weights {digest}, numerics {numerics}" for name, digest, numerics in found)
        raise Precondition(f"a report is about one model, and several answered: {listed}")
