"""From the records of a sample to an answer by a model that was made for this measurement.

It is entered by itself, like `nmr_platform.inference.prediction`: whoever makes predictors does not depend on it.
"""

from nmr_platform.inference.matched.answer import EXPERIMENT, Answer
from nmr_platform.inference.matched.drawn import recipe_of, widths_around
from nmr_platform.inference.matched.intervals import Interval
from nmr_platform.inference.matched.look import Estimate, Given, Look, echo_and_pulse, look
from nmr_platform.inference.matched.looks import Looks, looks_of
from nmr_platform.inference.matched.matched import Matched, Misled
from nmr_platform.inference.matched.page import render_page
from nmr_platform.inference.matched.posterior import Known, known_of, narrowed
from nmr_platform.inference.matched.refine import Band, Refined, refine
from nmr_platform.inference.matched.setting import KernelPrior, Setting, priors_of
from nmr_platform.inference.matched.way import TUNE, Budget, Inference, Inferrer, infer, parse_budget

__all__ = [
    "EXPERIMENT",
    "TUNE",
    "Answer",
    "Band",
    "Budget",
    "Estimate",
    "Given",
    "Inference",
    "Inferrer",
    "Interval",
    "KernelPrior",
    "Known",
    "Look",
    "Looks",
    "Matched",
    "Misled",
    "Refined",
    "Setting",
    "echo_and_pulse",
    "infer",
    "known_of",
    "look",
    "looks_of",
    "narrowed",
    "parse_budget",
    "priors_of",
    "recipe_of",
    "refine",
    "render_page",
    "widths_around",
]
