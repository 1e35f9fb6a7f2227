"""What an objective is, what its settings offer, and the noise that those weigh which need it."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from sklearn.covariance import ledoit_wolf

from nmr_platform.datasets import Curve
from nmr_platform.features import WindowedFeatures
from nmr_platform.learning import Bootstrap, RegressionTask
from nmr_platform.pulse_design.ensemble import Ensemble
from nmr_platform.pulse_design.spaces import SequenceSet
from nmr_platform.schema import Schema

__all__ = [
    "LOWEST",
    "Judgement",
    "Objective",
    "ObjectiveSettings",
    "Targets",
    "bootstrapped_error",
    "noise_covariance",
    "redrawn",
    "values_of",
]

Targets = Annotated[tuple[str, ...], Field(strict=False, min_length=1)]
"""Names of quantities, or of what a prior draws, that are to be read off."""

Array = NDArray[np.float64]

# Keeps the seeds of other draws apart from the streams that the curve itself uses.
_REDRAWN = 1000
_RESAMPLES = 200

LOWEST = -1.0
"""No judgement is lower, so that a forbidden candidate can be given a value that is."""


@dataclass(frozen=True)
class Judgement:
    """What some sequences are worth.

    Attributes:
        value: Larger is better; at least `LOWEST`.
        error: Standard error of the value, from a bootstrap over the curves it is an average of.
        details: Further numbers by name, for instance the R2 of each target.
    """

    value: float
    error: float
    details: Mapping[str, float] = field(default_factory=dict)


class Objective(Protocol):
    """A figure of merit of sequences.

    The same sequences and share give the same judgement to the last bit, whatever was asked before, and a larger
    share continues the curves of a smaller one.
    """

    @property
    def label(self) -> str:
        """Name of the value, for axes."""

    def judge(self, tried: SequenceSet, share: float = 1.0) -> Judgement:
        """Judge sequences on a part of the curves.

        Args:
            tried: The sequences.
            share: Part of the curves to use, in (0, 1].

        Raises:
            ConfigurationError: The sequences do not fit the time step or the windows.
        """


class ObjectiveSettings(Schema):
    """Settings of an objective, which know how it is made; a new kind is one class and its name in the union."""

    shares_disorder: ClassVar[bool] = False
    """Whether the curves of all data sets have the same disorder, instead of one of their own each."""

    @property
    def also_needs(self) -> Mapping[str, str]:
        """Data sets whose priors it needs, each with the key that names it; the search's own may be among them."""
        return {}

    def require_enough(self, n_curves: int) -> None:
        """Raise a `ValueError` if a candidate's ``n_curves`` are too few."""

    @abstractmethod
    def prepare(
        self, ensembles: Mapping[str, Ensemble], kernel: str, features: WindowedFeatures, seed: int
    ) -> Objective:
        """The objective.

        Args:
            ensembles: The curves of each data set that it needs, by name.
            kernel: The search's own among them.
            features: What is seen of each window.
            seed: Of estimator and folds.

        Raises:
            ConfigurationError: It does not fit the prior.
        """


def values_of(ensemble: Ensemble, target: str) -> Array:
    """A target of every curve, shape (n_curves,), in its unit.

    Args:
        ensemble: The curves.
        target: Name of a quantity, or of what the prior draws.

    Raises:
        DataError: The prior does not draw it, or draws one value.
    """
    task = RegressionTask(target=target, kernels=(ensemble.recipe.name,))
    task.check(ensemble.labels)
    return task.y(ensemble.labels)


def redrawn(curve: Curve, number: int) -> Curve:
    """The same parameters with other disorder; number 0 is the curve itself.

    Args:
        curve: The curve.
        number: Number of the draw, from 0.
    """
    if number == 0:
        return curve
    seed = curve.disorder_seed
    other = np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, _REDRAWN, number))
    return curve._replace(disorder_seed=other, disorder=f"{curve.disorder}/{number}")


def noise_covariance(groups: Sequence[Array], receiver: float) -> Array:
    """Covariance of the numbers that are measured, for known parameters.

    Receiver noise is white; what the disorder adds is estimated from its draws and shrunk towards a multiple of the
    identity, as far as Ledoit and Wolf (*J. Multivariate Anal.* 88, 365, 2004) find best for so few draws.

    Args:
        groups: For each set of parameters, its numbers under several draws of the disorder, shape (n_draws, n), in
            units of M.
        receiver: Standard deviation of the receiver noise of each number, in units of M.

    Returns:
        Shape (n, n), in units of M squared.
    """
    scale = [np.sqrt(len(group) / (len(group) - 1)) for group in groups]
    residuals = np.concatenate([(g - g.mean(axis=0)) * s for g, s in zip(groups, scale, strict=True)])
    covariance, _ = ledoit_wolf(residuals, assume_centered=True)
    total: Array = covariance + receiver**2 * np.eye(residuals.shape[1])
    return total


def bootstrapped_error(values: Array) -> float:
    """Standard error of the mean of ``values``, shape (n,), from a bootstrap over them."""
    means = Bootstrap(_RESAMPLES).resampled(
        lambda counts: {"mean": counts @ values / values.size}, np.arange(values.size)
    )
    return float(means["mean"].std())
