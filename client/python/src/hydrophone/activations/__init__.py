"""Activations for sparse autoencoders: hp.activations feeds SAELens's trainer, hp.cache_activations (and python -m
hydrophone.activations) writes its cached-activations data set."""

from hydrophone.activations.cache import cache_activations
from hydrophone.activations.stream import Activations, activations

__all__ = ["Activations", "activations", "cache_activations"]
