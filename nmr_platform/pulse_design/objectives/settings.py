"""What a search optimises, as typed settings."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

from nmr_platform.schema import Schema

__all__ = ["FisherSettings", "ObjectiveSettings", "Parameter", "ScoreSettings", "SeparationSettings", "Target"]

Target = Literal["W", "X", "Z"]
Parameter = Literal["X", "Z", "xi", "exponent", "gamma_plus", "gamma_minus", "gamma_z"]

Targets = Annotated[tuple[Target, ...], Field(strict=False, min_length=1)]
_UNITS: Mapping[str, str] = {"noise": "units of M"}


class ScoreSettings(Schema):
    """Cross-validated R2 of a quick estimator, averaged over the targets.

    Attributes:
        targets: What is to be read off: W, X = alpha_x sum K, Z = alpha_z sum K.
        cv_folds: Folds of the cross-validation.
        n_estimators: Trees of the estimator.
    """

    kind: Literal["score"]
    targets: Targets
    cv_folds: Annotated[int, Field(ge=2)]
    n_estimators: PositiveInt


class FisherSettings(Schema):
    """How well the targets could be read at best, by the Cramer-Rao bound.

    Attributes:
        targets: What is to be read off.
        parameters: What is unknown beside each other; X and Z must be among them.
        points: Points of the prior.
        draws: Draws of the disorder at each point, for the noise that disorder makes.
        reach: Standard deviation of the displacements that slopes are taken over, in those of the prior. Small, 0.005,
            for the Cramer-Rao bound itself; 1.2 to rank sequences as a model of a few hundred curves would.
        noise: Receiver noise, standard deviation of real and imaginary part of one sample.
        bin: Samples that are averaged into one number.
    """

    units: ClassVar[Mapping[str, str]] = _UNITS

    kind: Literal["fisher"]
    targets: Targets
    parameters: Annotated[tuple[Parameter, ...], Field(strict=False, min_length=2)]
    points: Annotated[int, Field(ge=2)]
    draws: Annotated[int, Field(ge=2)]
    reach: PositiveFloat
    noise: PositiveFloat
    bin: PositiveInt

    @model_validator(mode="after")
    def _holds_the_targets(self) -> Self:
        if not {"X", "Z"} <= set(self.parameters) or len(set(self.parameters)) < len(self.parameters):
            message = f"Key `parameters` must hold X and Z, each name once, but is {list(self.parameters)}."
            raise ValueError(message)
        return self


class SeparationSettings(Schema):
    """How far the curves of different kernels lie apart, in units of noise.

    Attributes:
        kernels: Names of data sets, two or more.
        draws: Draws of the disorder for each of a few curves, for the noise that disorder makes.
        noise: Receiver noise, standard deviation of real and imaginary part of one sample.
        bin: Samples that are averaged into one number.
    """

    units: ClassVar[Mapping[str, str]] = _UNITS

    kind: Literal["separation"]
    kernels: Annotated[tuple[str, ...], Field(strict=False, min_length=2)]
    draws: Annotated[int, Field(ge=2)]
    noise: NonNegativeFloat
    bin: PositiveInt


ObjectiveSettings = Annotated[ScoreSettings | FisherSettings | SeparationSettings, Field(discriminator="kind")]
