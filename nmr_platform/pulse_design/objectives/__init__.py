"""Figures of merit of a measurement, by the `kind` of their settings."""

from collections.abc import Mapping

from nmr_platform.features import WindowedFeatures
from nmr_platform.pulse_design.bench import Bench
from nmr_platform.pulse_design.objectives.base import LOWEST, Judgement, Objective
from nmr_platform.pulse_design.objectives.fisher import FisherObjective
from nmr_platform.pulse_design.objectives.score import ScoreObjective
from nmr_platform.pulse_design.objectives.separation import SeparationObjective
from nmr_platform.pulse_design.objectives.settings import (
    FisherSettings,
    ObjectiveSettings,
    ScoreSettings,
    SeparationSettings,
)

__all__ = [
    "LOWEST",
    "FisherObjective",
    "FisherSettings",
    "Judgement",
    "Objective",
    "ObjectiveSettings",
    "ScoreObjective",
    "ScoreSettings",
    "SeparationObjective",
    "SeparationSettings",
    "make_objective",
]


def make_objective(
    settings: ObjectiveSettings, benches: Mapping[str, Bench], kernel: str, features: WindowedFeatures, seed: int
) -> Objective:
    """The objective that ``settings`` describe.

    Args:
        settings: Its kind and numbers.
        benches: The curves of each kernel that it needs, by name.
        kernel: Whose prior the unknowns have.
        features: What is seen of each window.
        seed: Of estimator and folds.

    Raises:
        ConfigurationError: An unknown does not belong to the kernel.
    """
    match settings:
        case ScoreSettings():
            return ScoreObjective(benches[kernel], settings, features, seed)
        case FisherSettings():
            return FisherObjective(benches[kernel], settings, features)
        case SeparationSettings():
            chosen = {name: benches[name] for name in settings.kernels}
            return SeparationObjective(chosen, settings, features)
