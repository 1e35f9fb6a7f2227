"""Neural posteriors: networks that give the posterior of numbers or of a class; their libraries are an extra."""

from nmr_platform.learning.models.posterior.family import NeuralPosterior
from nmr_platform.learning.models.posterior.mixture import JointMixture, Mixture

__all__ = ["JointMixture", "Mixture", "NeuralPosterior"]
