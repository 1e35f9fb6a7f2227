"""The deployable predictor, and the way from a file to an answer."""

from nmr_platform.inference.acquisition import Conditions
from nmr_platform.inference.novelty import Novelty
from nmr_platform.inference.predictor import Predictor

__all__ = ["Conditions", "Novelty", "Predictor"]
