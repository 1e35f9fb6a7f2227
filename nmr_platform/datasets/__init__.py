"""Data sets: priors, recipes, resumable generation, and the store."""

from nmr_platform.datasets.generate import Generated, generate, simulate_curves
from nmr_platform.datasets.labels import labels_of
from nmr_platform.datasets.priors import Choice, Distribution, LogUniform, Range, SameAs, Uniform
from nmr_platform.datasets.recipe import Curve, Recipe
from nmr_platform.datasets.store import FORMAT_VERSION, load

__all__ = [
    "FORMAT_VERSION",
    "Choice",
    "Curve",
    "Distribution",
    "Generated",
    "LogUniform",
    "Range",
    "Recipe",
    "SameAs",
    "Uniform",
    "generate",
    "labels_of",
    "load",
    "simulate_curves",
]
