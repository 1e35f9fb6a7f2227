"""How far the curves of different kernels lie apart, in units of noise."""

from collections.abc import Mapping
from itertools import permutations
from math import ceil

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from nmr_platform.features import WindowedFeatures
from nmr_platform.pulse_design.bench import Bench
from nmr_platform.pulse_design.objectives.base import Judgement
from nmr_platform.pulse_design.objectives.noise import noise_covariance, redrawn
from nmr_platform.pulse_design.objectives.settings import SeparationSettings
from nmr_platform.pulse_design.signals import binned_windows
from nmr_platform.pulse_design.spaces import Measurement

__all__ = ["SeparationObjective"]

Array = NDArray[np.float64]

# Curves of each kernel whose disorder is drawn again, to learn what it does to a record.
_REDRAWN_CURVES = 8
_RESAMPLES = 200


class SeparationObjective:
    """Distance of a kernel's curve to the nearest one of another kernel, averaged over curves and pairs of kernels.

    The nearest curve, because strength and range are unknown: kernels are told apart only by what no choice of these
    makes alike. Distances are Mahalanobis', sqrt(d^T C^-1 d), with the covariance C of receiver noise and disorder, so
    that 1 is one standard deviation of noise along d.

    Args:
        benches: The curves of each kernel, by name; equally many, with common disorder.
        settings: Kernels and noise.
        features: Gives the width of the windows.
    """

    def __init__(self, benches: Mapping[str, Bench], settings: SeparationSettings, features: WindowedFeatures) -> None:
        self._benches = benches
        self._settings = settings
        self._half_width = features.half_width

    @property
    def label(self) -> str:
        """Name of the value."""
        return "distance between kernels (standard deviations of noise)"

    def judge(self, measurement: Measurement, share: float = 1.0) -> Judgement:
        """See `Objective`."""
        draws = [group for name in self._benches for group in self._groups(measurement, name)]
        receiver = self._settings.noise / np.sqrt(self._settings.bin)
        whitener = np.linalg.inv(np.linalg.cholesky(noise_covariance(draws, receiver)))
        curves = {name: self._numbers(measurement, name, share) @ whitener.T for name in self._benches}
        nearest = {(a, b): cdist(curves[a], curves[b]).min(axis=1) for a, b in permutations(curves, 2)}
        table = np.stack(list(nearest.values()), axis=1)
        rows = np.random.default_rng(0).integers(len(table), size=(_RESAMPLES, len(table)))
        return Judgement(
            value=float(table.mean()),
            error=float(table.mean(axis=1)[rows].mean(axis=1).std()),
            details={f"{a}_from_{b}": float(distances.mean()) for (a, b), distances in nearest.items()},
        )

    def _numbers(self, measurement: Measurement, name: str, share: float) -> Array:
        bench = self._benches[name]
        n = max(2, ceil(share * len(bench.curves)))
        return self._binned(bench, bench.records(measurement, n), measurement)

    def _groups(self, measurement: Measurement, name: str) -> list[Array]:
        """A few curves under several draws of the disorder, each of shape (n_draws, n)."""
        bench, n_draws = self._benches[name], self._settings.draws
        chosen = bench.curves[:_REDRAWN_CURVES]
        curves = [redrawn(curve, draw) for curve in chosen for draw in range(n_draws)]
        records = bench.variants(measurement, curves, {"what": "draws", "draws": n_draws, "curves": len(chosen)})
        return np.split(self._binned(bench, records, measurement), len(chosen))

    def _binned(self, bench: Bench, records: list[NDArray[np.complex64]], measurement: Measurement) -> Array:
        experiments = [bench.experiment(sequence) for sequence in measurement]
        return binned_windows(records, experiments, self._half_width, self._settings.bin)
