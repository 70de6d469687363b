"""Proves a saved capture again: hp.replay, and python -m hydrophone.replay."""

from hydrophone.replay.proof import Replay, ReplayedArray
from hydrophone.replay.run import replay

__all__ = ["Replay", "ReplayedArray", "replay"]
