"""verify: whether the server's numbers are right."""

from __future__ import annotations

from hydrophone.connection.operation import Call, Operation
from hydrophone.errors import InvalidArgument
from hydrophone.operations.session import Session
from hydrophone.proto import v1
from hydrophone.requests import inputs as input_messages
from hydrophone.requests import values
from hydrophone.requests.inputs import Inputs
from hydrophone.requests.values import Layers
from hydrophone.requests.words import Words
from hydrophone.results.verification import Verification


def verify(
    session: Session,
    inputs: Inputs = (),
    *,
    layers: Layers = None,
    max_abs: float | None = None,
    quantile: float | None = None,
    train_seed: int | None = None,
    include_residuals: bool = False,
    skip_reference: bool = False,
    model: str = "",
    numerics: str = "",
) -> Operation[Verification]:
    """Measures whether the numbers are right: H[L+1] = (H[L] + attention delta) + MLP delta, the correlations, the
    final state, every hook point against a float64 forward pass written apart (unless `skip_reference`), and more.

    Without `inputs`, on the lesson's own sentence. The masked correlations count elements whose magnitude is at most
    `max_abs` (30 unless given), or within the `quantile` of their array's. `train_seed` verifies train mode.

    >>> client.verify("Hello world", layers=10, skip_reference=True).passed
    True
    """
    if max_abs is not None and quantile is not None:
        raise InvalidArgument.of("quantile", "got both max_abs and quantile, expected one")
    request = v1.VerifyRequest(
        layers=values.numbers(layers, "layers"),
        include_residuals=include_residuals,
        skip_reference=skip_reference,
        model=model,
        numerics=numerics,
    )
    for number, each in enumerate(input_messages.as_list(inputs)):
        request.inputs.append(input_messages.message(each, f"inputs[{number}]"))
    if max_abs is not None:
        request.mask.max_abs = max_abs
    if quantile is not None:
        request.mask.quantile = quantile
    if train_seed is not None:
        request.train_seed = train_seed
    words = Words()
    words.add("mask.max_abs", "max_abs")
    words.add("mask.quantile", "quantile")
    try:
        response = yield Call("Verify", request, v1.VerifyResponse)
    except InvalidArgument as error:
        raise error.reworded(words) from None
    return Verification.of(response)
