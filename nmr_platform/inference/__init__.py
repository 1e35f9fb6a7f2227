"""The deployable predictor: from raw records M(t) to values, their intervals, and whether they were to be expected.

The way from files to answers, `nmr_platform.inference.prediction`, is entered by itself: whoever makes predictors does
not depend on the readers of all instruments.
"""

from nmr_platform.inference.assembly import example_records, fit_novelties, make_predictor
from nmr_platform.inference.conditions import Conditions
from nmr_platform.inference.novelty import Novelty
from nmr_platform.inference.predictor import Predictor

__all__ = [
    "Conditions",
    "Novelty",
    "Predictor",
    "example_records",
    "fit_novelties",
    "make_predictor",
]
