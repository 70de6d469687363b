"""GPT-2's inner values as NumPy arrays, from a Hydrophone server.

import hydrophone as hp
client = hp.Client("lab:50051")
r = client.extract("Plants make fantastic pets", hooks=["attn.c_proj", "mlp.c_proj", "hidden_states"], layers=10)
r["attn.c_proj", 10]                                  # [tokens, width]
"""

from hydrophone import aio, transformer_lens
from hydrophone.activations import Activations, activations, cache_activations
from hydrophone.bulk import Bulk, bulk, bulk_on_ray
from hydrophone.client import Client
from hydrophone.connection.credentials import Tls
from hydrophone.errors import (
    AccessDenied,
    Busy,
    Cancelled,
    DamagedStream,
    DeadlineExceeded,
    DiskFull,
    HydrophoneError,
    InvalidArgument,
    NotBuilt,
    Precondition,
    ServerError,
    TooLarge,
    Unavailable,
    Violation,
)
from hydrophone.explain import Cause, Explanation, explain
from hydrophone.replay import Replay, replay
from hydrophone.report import Report, report
from hydrophone.requests.edits import Edit, add, patch, position_mean, project_out, scale, set, zero
from hydrophone.requests.hooks import Hook, Lens, Summarize, hook, lens
from hydrophone.requests.inputs import Text
from hydrophone.requests.metrics import Metric, kl_divergence, logit_diff, next_token_loss
from hydrophone.requests.runs import Run, run
from hydrophone.requests.values import per_run
from hydrophone.results.activating import Activation, MaxActivating
from hydrophone.results.capture import Capture
from hydrophone.results.files import load
from hydrophone.results.generation import Continuation
from hydrophone.results.grid import PatchGrid
from hydrophone.results.lens import LogitLens
from hydrophone.results.parameters import ParameterInfo, Parameters
from hydrophone.results.records import Comparison, HookPoint, InputInfo, ModelInfo, Provenance, Score, Summary
from hydrophone.results.residuals import ResidualStack
from hydrophone.results.result import Result, RunInfo
from hydrophone.results.verification import Verification
from hydrophone.serve import Served, serve

__version__ = "0.1.0"

__all__ = [
    "AccessDenied",
    "Activation",
    "Activations",
    "Bulk",
    "Busy",
    "Cancelled",
    "Capture",
    "Cause",
    "Client",
    "Comparison",
    "Continuation",
    "DamagedStream",
    "DeadlineExceeded",
    "DiskFull",
    "Edit",
    "Hook",
    "Explanation",
    "HookPoint",
    "HydrophoneError",
    "InputInfo",
    "InvalidArgument",
    "Lens",
    "LogitLens",
    "MaxActivating",
    "Metric",
    "ModelInfo",
    "NotBuilt",
    "ParameterInfo",
    "Parameters",
    "PatchGrid",
    "Precondition",
    "Provenance",
    "ResidualStack",
    "Replay",
    "Report",
    "Result",
    "Run",
    "RunInfo",
    "Score",
    "Served",
    "ServerError",
    "Summarize",
    "Summary",
    "Text",
    "Tls",
    "TooLarge",
    "Unavailable",
    "Verification",
    "Violation",
    "activations",
    "add",
    "aio",
    "bulk",
    "bulk_on_ray",
    "cache_activations",
    "explain",
    "hook",
    "kl_divergence",
    "lens",
    "load",
    "logit_diff",
    "next_token_loss",
    "patch",
    "per_run",
    "position_mean",
    "project_out",
    "replay",
    "report",
    "run",
    "scale",
    "serve",
    "set",
    "transformer_lens",
    "zero",
]
