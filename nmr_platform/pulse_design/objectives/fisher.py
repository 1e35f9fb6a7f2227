"""How well the coupling could be read at best: Cramer-Rao bounds from simulated derivatives."""

from collections.abc import Sequence
from math import ceil

import numpy as np
from numpy.typing import NDArray
from sklearn.covariance import ledoit_wolf

from nmr_platform.datasets import Curve
from nmr_platform.features import FeatureSet
from nmr_platform.pulse_design.bench import Bench
from nmr_platform.pulse_design.objectives.base import LOWEST, Judgement
from nmr_platform.pulse_design.objectives.noise import noise_covariance, redrawn
from nmr_platform.pulse_design.objectives.settings import FisherSettings
from nmr_platform.pulse_design.objectives.unknowns import changed, precision, read, steps, target_gradient
from nmr_platform.pulse_design.signals import binned_windows
from nmr_platform.pulse_design.spaces import Measurement

__all__ = ["FisherObjective"]

Array = NDArray[np.float64]

_DERIVATIVE_DRAWS = 2
_RESAMPLES = 200


class FisherObjective:
    """1 - bound / variance of the prior, averaged over prior and targets: the R2 of an efficient estimator.

    At a point theta of the prior the measured numbers are f(theta) plus noise of covariance C, and the Fisher
    information is J^T C^-1 J with J = df/dtheta by central differences under the same disorder. The prior's own
    information, the inverse covariance of the unknowns that it draws, is added (van Trees, *Detection, Estimation,
    and Modulation Theory* I, 1968, 2.4.3), so that a bound is never worse than knowing nothing. A target g^T theta has
    the bound g^T I^-1 g, unknowns beside it left free. The Cramer-Rao
    bound is local: it does not know that a phase of 2 pi is none. With steps that reach further, J is the slope over
    the reach, and what bends away from it, (f(theta + h) + f(theta - h)) / 2 - f(theta), joins the noise, twice its
    square for a normal displacement: what turns round within the reach then tells nothing.

    Args:
        bench: The prior.
        settings: Unknowns, targets, points and noise.
        features: Gives the width of the windows.
    """

    def __init__(self, bench: Bench, settings: FisherSettings, features: FeatureSet) -> None:
        self._bench = bench
        self._settings = settings
        self._half_width = features.half_width
        names = settings.parameters
        self._prior = np.array([[read(curve.experiment, name) for name in names] for curve in bench.curves])
        self._steps = steps(self._prior, names, settings.reach)
        self._known = precision(self._prior, names)
        self._points = bench.curves[: settings.points]

    @property
    def label(self) -> str:
        """Name of the value."""
        return f"R² of {' and '.join(self._settings.targets)} at the Cramér-Rao bound"

    def judge(self, measurement: Measurement, share: float = 1.0) -> Judgement:
        """See `Objective`; the curves are the points of the prior."""
        n_points = max(2, ceil(share * len(self._points)))
        points = self._points[:n_points]
        draws = [self._numbers(measurement, i, self._draws(point), "draws") for i, point in enumerate(points)]
        ends = [self._ends(measurement, i, point) for i, point in enumerate(points)]
        receiver = self._settings.noise / np.sqrt(self._settings.bin)
        noise = noise_covariance(draws, receiver) + self._bending(draws, ends)
        whitener = np.linalg.inv(np.linalg.cholesky(noise))
        bounds = np.array([self._bound(i, each, whitener) for i, each in enumerate(ends)])
        targets = self._settings.targets
        gradients = [
            np.array([target_gradient(c.experiment, t, self._settings.parameters) for c in points]) for t in targets
        ]
        variances = np.stack([np.einsum("ni,nij,nj->n", g, bounds, g) for g in gradients], axis=1)
        spread = np.array([self._spread(target) for target in targets])
        shares = variances / spread
        return Judgement(
            value=max(LOWEST, float(1 - shares.mean())),
            error=_standard_error(shares.mean(axis=1)),
            details={
                **{f"r2_{t}": float(1 - shares[:, i].mean()) for i, t in enumerate(targets)},
                **{
                    f"bound_{name}": float(np.sqrt(bounds[:, i, i].mean()))
                    for i, name in enumerate(self._settings.parameters)
                },
            },
        )

    def _ends(self, measurement: Measurement, number: int, point: Curve) -> Array:
        """The numbers on both sides of a point, shape (n_draws, n_parameters, 2, n)."""
        curves = [
            redrawn(point._replace(experiment=changed(point.experiment, name, value)), draw)
            for draw in range(_DERIVATIVE_DRAWS)
            for name, sides in zip(self._settings.parameters, self._sides(number), strict=True)
            for value in sides
        ]
        numbers = self._numbers(measurement, number, curves, "derivatives")
        return numbers.reshape(_DERIVATIVE_DRAWS, len(self._steps), 2, -1)

    def _bending(self, draws: Sequence[Array], ends: Sequence[Array]) -> Array:
        """Covariance of what the slope does not explain, shape (n, n)."""
        middles = np.array([each[:_DERIVATIVE_DRAWS] for each in draws])
        bent = np.array(ends).mean(axis=3) - middles[:, :, None]
        samples = np.sqrt(2 * len(self._steps)) * bent.reshape(-1, bent.shape[-1])
        covariance, _ = ledoit_wolf(samples, assume_centered=True)
        return np.asarray(covariance)

    def _bound(self, number: int, ends: Array, whitener: Array) -> Array:
        """Bound on the covariance of the unknowns at one point, shape (n_parameters, n_parameters)."""
        widths = np.ptp(self._sides(number), axis=1)
        jacobian = (ends[:, :, 1] - ends[:, :, 0]).mean(axis=0) / widths[:, None]
        whitened = whitener @ jacobian.T
        information = whitened.T @ whitened + self._known
        # Unknowns differ in scale by orders of magnitude; a unit diagonal keeps the inverse accurate.
        scale = 1 / np.sqrt(np.diag(information))
        bound: Array = scale[:, None] * np.linalg.inv(scale[:, None] * information * scale) * scale
        return bound

    def _sides(self, number: int) -> Array:
        """Where the differences at a point are taken, shape (n_parameters, 2); a rate cannot be negative."""
        at = self._prior[number]
        low = at - self._steps
        is_rate = np.array([name.startswith("gamma") for name in self._settings.parameters])
        return np.stack([np.where(is_rate, np.maximum(low, 0.0), low), at + self._steps], axis=1)

    def _numbers(self, measurement: Measurement, number: int, curves: Sequence[Curve], what: str) -> Array:
        identity = {
            "what": what,
            "point": number,
            "parameters": list(self._settings.parameters),
            "steps": [float(f"{step:.12g}") for step in self._steps],
            "draws": len(curves),
        }
        records = self._bench.variants(measurement, curves, identity)
        experiments = [self._bench.experiment(sequence) for sequence in measurement]
        return binned_windows(records, experiments, self._half_width, self._settings.bin)

    def _draws(self, point: Curve) -> list[Curve]:
        return [redrawn(point, draw) for draw in range(self._settings.draws)]

    def _spread(self, target: str) -> float:
        """Variance of a target over the prior, MHz^2."""
        return float(self._bench.targets[:, ("W", "X", "Z").index(target)].var())


def _standard_error(shares: Array) -> float:
    """Of the mean over points, from a bootstrap over them."""
    rows = np.random.default_rng(0).integers(shares.size, size=(_RESAMPLES, shares.size))
    return float(shares[rows].mean(axis=1).std())
