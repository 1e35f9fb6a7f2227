"""How to search for pulse sequences: the `pulse_search` part of params.yaml."""

from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from nmr_platform.datasets import Range
from nmr_platform.features import FeatureSet
from nmr_platform.schema import Schema

__all__ = ["PulseSearchSettings"]


class PulseSearchSettings(Schema):
    """A search over the two flip angles of a Hahn echo.

    Attributes:
        kernel: Data set whose prior the curves are drawn from.
        target: What the sequence is to reveal, MHz: the kernel integral W, X = alpha_x sum K or Z = alpha_z sum K.
        n_trials: Finished sequences that the search shall have; the 90/180 echo is always the first.
        n_curves: Curves simulated for every sequence.
        seed: Seed of the curves, the folds, the estimator and the sampler; no data set may use it.
        shape: Sites of the lattice along each axis.
        theta1: Range of the first flip angle, degrees.
        theta2: Range of the second flip angle, degrees.
        features: What the quick estimator sees.
        cv_folds: Folds of the cross-validation.
        n_estimators: Trees of the quick estimator.
        startup_trials: Random sequences before TPE models the search space.
        verdict_seed: Seed of the new curves on which the best sequence is compared with 90/180.
        verdict_curves: Number of new curves.
    """

    kernel: str
    target: Literal["W", "X", "Z"]
    n_trials: PositiveInt
    n_curves: Annotated[int, Field(ge=20)]
    seed: NonNegativeInt
    shape: Annotated[tuple[PositiveInt, ...], Field(strict=False, min_length=1, max_length=3)]
    theta1: Range
    theta2: Range
    features: FeatureSet
    cv_folds: Annotated[int, Field(ge=2)]
    n_estimators: PositiveInt
    startup_trials: PositiveInt
    verdict_seed: NonNegativeInt
    verdict_curves: Annotated[int, Field(ge=20)]

    @model_validator(mode="after")
    def _folds_hold_curves(self) -> Self:
        fewest = min(self.n_curves, self.verdict_curves)
        if 2 * self.cv_folds > fewest:
            message = (
                f"Key `pulse_search.cv_folds` must leave two curves or more in every fold, but there are "
                f"{self.cv_folds} folds for {fewest} curves."
            )
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _verdict_is_on_new_curves(self) -> Self:
        if self.verdict_seed == self.seed:
            message = f"Key `pulse_search.verdict_seed` must differ from `pulse_search.seed`, but both are {self.seed}."
            raise ValueError(message)
        return self
