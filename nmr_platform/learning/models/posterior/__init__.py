"""Neural posteriors: networks that give the posterior of a number or of a class; their libraries are an extra."""

from nmr_platform.learning.models.posterior.family import NeuralPosterior
from nmr_platform.learning.models.posterior.mixture import Mixture

__all__ = ["Mixture", "NeuralPosterior"]
