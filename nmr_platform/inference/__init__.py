"""The deployable predictor, and the way from a file to an answer."""

from nmr_platform.inference.assembly import example_record, fit_novelties, make_predictor
from nmr_platform.inference.conditions import Conditions
from nmr_platform.inference.novelty import Novelty
from nmr_platform.inference.prediction import load_models, predict_files
from nmr_platform.inference.predictor import Predictor

__all__ = [
    "Conditions",
    "Novelty",
    "Predictor",
    "example_record",
    "fit_novelties",
    "load_models",
    "make_predictor",
    "predict_files",
]
