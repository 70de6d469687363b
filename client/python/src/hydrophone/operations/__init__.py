"""What a client can do. Each function is an operation (connection/operation.py), whoever carries it out."""

from hydrophone.operations.activating import max_activating
from hydrophone.operations.extract import extract
from hydrophone.operations.generate import generate
from hydrophone.operations.lens import logit_lens
from hydrophone.operations.parameters import list_parameters, parameters
from hydrophone.operations.patching import patch_grid
from hydrophone.operations.residuals import accumulated_resid, decompose_resid, logit_attrs, stack_head_results
from hydrophone.operations.session import hook_points, model
from hydrophone.operations.tokens import detokenize, tokenize
from hydrophone.operations.verify import verify

__all__ = [
    "accumulated_resid",
    "decompose_resid",
    "detokenize",
    "extract",
    "generate",
    "hook_points",
    "list_parameters",
    "logit_attrs",
    "logit_lens",
    "max_activating",
    "model",
    "parameters",
    "patch_grid",
    "stack_head_results",
    "tokenize",
    "verify",
]
