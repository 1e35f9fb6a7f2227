"""How far the curves of different kernels lie apart, in units of noise."""

from collections.abc import Mapping
from itertools import permutations
from math import ceil
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, NonNegativeFloat
from scipy.spatial.distance import cdist

from nmr_platform.features import WindowedFeatures
from nmr_platform.pulse_design.ensemble import Ensemble
from nmr_platform.pulse_design.objectives.objective import (
    Judgement,
    ObjectiveSettings,
    bootstrapped_error,
    noise_covariance,
    redrawn,
)
from nmr_platform.pulse_design.signals import binned_windows
from nmr_platform.pulse_design.spaces import SequenceSet
from nmr_platform.schema import Count

__all__ = ["SeparationObjective", "SeparationSettings"]

Array = NDArray[np.float64]

# Curves of each kernel whose disorder is drawn again, to learn what it does to a record.
_REDRAWN_CURVES = 8


class SeparationSettings(ObjectiveSettings):
    """How far the curves of different kernels lie apart, in units of noise.

    Attributes:
        kernels: Names of data sets, two or more.
        draws: Draws of the disorder for each of a few curves, for the noise that disorder makes.
        noise: Receiver noise, standard deviation of real and imaginary part of one sample.
        bin: Samples that are averaged into one number.

    Example:
        >>> from nmr_platform.datasets import read_preset
        >>> from nmr_platform.features import PolynomialFeatures
        >>> from nmr_platform.physics import Hahn
        >>> from nmr_platform.pulse_design import Ensemble, SequenceSet
        >>> features = PolynomialFeatures(kind="polynomial", signal="complex", half_width=150)
        >>> few = {}
        >>> for name in ("gaussian", "power"):
        ...     recipe = read_preset("august2021").recipe(name)
        ...     small = {**recipe.experiment, "lattice": {"shape": [12, 12]}}
        ...     few[name] = Ensemble(recipe.replace(n_curves=8, constraints={}, experiment=small))
        >>> settings = SeparationSettings(kind="separation", kernels=["gaussian", "power"], draws=2, noise=0.01, bin=10)
        >>> objective = settings.prepare(few, "gaussian", features, 0)
        >>> sorted(objective.judge(SequenceSet.of(Hahn(tau=30.0))).details)
        ['gaussian_from_power', 'power_from_gaussian']
    """

    units: ClassVar[Mapping[str, str]] = {"noise": "units of M"}
    shares_disorder: ClassVar[bool] = True

    kind: Literal["separation"]
    kernels: Annotated[tuple[str, ...], Field(strict=False, min_length=2)]
    draws: Annotated[int, Field(ge=2, le=1_000_000)]
    noise: NonNegativeFloat
    bin: Count

    @property
    def also_needs(self) -> Mapping[str, str]:
        """See `ObjectiveSettings`."""
        return dict.fromkeys(self.kernels, "kernels")

    def prepare(
        self, ensembles: Mapping[str, Ensemble], kernel: str, features: WindowedFeatures, seed: int
    ) -> "SeparationObjective":
        """See `ObjectiveSettings`."""
        del kernel, seed  # it has kernels of its own, and draws nothing
        return SeparationObjective({name: ensembles[name] for name in self.kernels}, self, features)


class SeparationObjective:
    """Distance of a kernel's curve to the nearest one of another kernel, averaged over curves and pairs of kernels.

    The nearest curve, because strength and range are unknown: kernels are told apart only by what no choice of these
    makes alike. Distances are Mahalanobis', sqrt(d^T C^-1 d), with the covariance C of receiver noise and disorder, so
    that 1 is one standard deviation of noise along d.

    Args:
        ensembles: The curves of each kernel, by name; equally many, with common disorder.
        settings: Kernels and noise.
        features: Whose windows are looked at.
    """

    def __init__(
        self, ensembles: Mapping[str, Ensemble], settings: SeparationSettings, features: WindowedFeatures
    ) -> None:
        self._ensembles = ensembles
        self._settings = settings
        self._features = features

    @property
    def label(self) -> str:
        """Name of the value."""
        return "distance between kernels (standard deviations of noise)"

    def judge(self, tried: SequenceSet, share: float = 1.0) -> Judgement:
        """See `Objective`."""
        draws = [group for name in self._ensembles for group in self._groups(tried, name)]
        receiver = self._settings.noise / np.sqrt(self._settings.bin)
        whitener = np.linalg.inv(np.linalg.cholesky(noise_covariance(draws, receiver)))
        curves = {name: self._numbers(tried, name, share) @ whitener.T for name in self._ensembles}
        nearest = {(a, b): cdist(curves[a], curves[b]).min(axis=1) for a, b in permutations(curves, 2)}
        table = np.stack(list(nearest.values()), axis=1)
        return Judgement(
            value=float(table.mean()),
            error=bootstrapped_error(table.mean(axis=1)),
            details={f"{a}_from_{b}": float(distances.mean()) for (a, b), distances in nearest.items()},
        )

    def _numbers(self, tried: SequenceSet, name: str, share: float) -> Array:
        ensemble = self._ensembles[name]
        n = max(2, ceil(share * len(ensemble.curves)))
        return self._binned(ensemble, ensemble.records(tried, n), tried)

    def _groups(self, tried: SequenceSet, name: str) -> list[Array]:
        """A few curves under several draws of the disorder, each of shape (n_draws, n)."""
        ensemble, n_draws = self._ensembles[name], self._settings.draws
        chosen = ensemble.curves[:_REDRAWN_CURVES]
        curves = [redrawn(curve, draw) for curve in chosen for draw in range(n_draws)]
        records = ensemble.variants(tried, curves, {"what": "draws", "draws": n_draws, "curves": len(chosen)})
        return np.split(self._binned(ensemble, records, tried), len(chosen))

    def _binned(self, ensemble: Ensemble, records: Mapping[str, NDArray[np.complex64]], tried: SequenceSet) -> Array:
        return binned_windows(records, ensemble.experiments(tried), self._features, self._settings.bin)
