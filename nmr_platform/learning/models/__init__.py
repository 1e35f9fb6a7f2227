"""Model families: how each is searched, made, explained and kept."""

from nmr_platform.learning.models.estimator import Estimator, ScaledTarget, fit_beside_others, without_threads
from nmr_platform.learning.models.families import AnyFamily, find_family, installed_requirements, model_requirements
from nmr_platform.learning.models.family import Family, MissingLibraryError, describe_space, search_space
from nmr_platform.learning.models.persistence import load_estimator, save_estimator
from nmr_platform.learning.models.posterior import JointMixture, Mixture

__all__ = [
    "AnyFamily",
    "Estimator",
    "Family",
    "JointMixture",
    "MissingLibraryError",
    "Mixture",
    "ScaledTarget",
    "describe_space",
    "find_family",
    "fit_beside_others",
    "installed_requirements",
    "load_estimator",
    "model_requirements",
    "save_estimator",
    "search_space",
    "without_threads",
]
