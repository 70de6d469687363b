"""Says why a tensor that was made elsewhere differs from the server's: hp.explain, and python -m hydrophone.explain."""

from hydrophone.explain.causes import CAUSES, Cause, Explanation
from hydrophone.explain.run import explain

__all__ = ["CAUSES", "Cause", "Explanation", "explain"]
