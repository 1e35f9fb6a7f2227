"""Figures of merit of sequences: a class of settings a kind, which makes its objective."""

from typing import Annotated

from pydantic import Field

from nmr_platform.pulse_design.objectives.fisher import FisherObjective, FisherSettings
from nmr_platform.pulse_design.objectives.objective import (
    LOWEST,
    Judgement,
    Objective,
    ObjectiveSettings,
    Targets,
    bootstrapped_error,
)
from nmr_platform.pulse_design.objectives.score import ScoreObjective, ScoreSettings
from nmr_platform.pulse_design.objectives.separation import SeparationObjective, SeparationSettings

__all__ = [
    "LOWEST",
    "AnyObjective",
    "FisherObjective",
    "FisherSettings",
    "Judgement",
    "Objective",
    "ObjectiveSettings",
    "ScoreObjective",
    "ScoreSettings",
    "SeparationObjective",
    "SeparationSettings",
    "Targets",
    "bootstrapped_error",
]

AnyObjective = Annotated[ScoreSettings | FisherSettings | SeparationSettings, Field(discriminator="kind")]
