"""How well the coupling could be read at best: Cramer-Rao bounds from simulated derivatives."""

from collections.abc import Sequence
from math import ceil

import numpy as np
from numpy.typing import NDArray
from sklearn.covariance import ledoit_wolf

from nmr_platform.datasets import Curve
from nmr_platform.features import WindowedFeatures
from nmr_platform.physics import Experiment
from nmr_platform.pulse_design.bench import Bench
from nmr_platform.pulse_design.objectives.base import LOWEST, Judgement
from nmr_platform.pulse_design.objectives.linearised import Line, displaced, fit_line
from nmr_platform.pulse_design.objectives.noise import noise_covariance, redrawn
from nmr_platform.pulse_design.objectives.settings import FisherSettings, Parameter
from nmr_platform.pulse_design.objectives.unknowns import changed, precision, read, steps, target_gradient
from nmr_platform.pulse_design.signals import binned_windows
from nmr_platform.pulse_design.spaces import Measurement

__all__ = ["FisherObjective"]

Array = NDArray[np.float64]

# Draws of the disorder that slopes are averaged over.
_GROUPS = 2
_RESAMPLES = 200


class FisherObjective:
    """1 - bound / variance of the prior, averaged over prior and targets: the R2 of an efficient estimator.

    At a point theta of the prior the measured numbers are f(theta) plus noise of covariance C, and the Fisher
    information is J^T C^-1 J with J = df/dtheta under the same disorder. The prior's own information, the inverse
    covariance of the unknowns that it draws, is added (van Trees, *Detection, Estimation, and Modulation Theory* I,
    1968, 2.4.3), so that a bound is never worse than knowing nothing. A target g^T theta has the bound g^T I^-1 g,
    unknowns beside it left free. The Cramer-Rao bound is local: it does not know that a phase of 2 pi is none. Over
    displacements that reach further, J is the slope of a line through f, and what the line does not explain joins the
    noise, see `fit_line`: what turns round within the reach then tells nothing.

    Args:
        bench: The prior.
        settings: Unknowns, targets, points and noise.
        features: Gives the width of the windows.
    """

    def __init__(self, bench: Bench, settings: FisherSettings, features: WindowedFeatures) -> None:
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
        draws = [
            self._numbers(measurement, i, [redrawn(point, k) for k in range(self._settings.draws)], "draws")
            for i, point in enumerate(points)
        ]
        lines = [self._line(measurement, i, point) for i, point in enumerate(points)]
        receiver = self._settings.noise / np.sqrt(self._settings.bin)
        unexplained, _ = ledoit_wolf(np.concatenate([line.residuals for line in lines]), assume_centered=True)
        whitener = np.linalg.inv(np.linalg.cholesky(noise_covariance(draws, receiver) + unexplained))
        bounds = np.array([self._bound(whitener @ line.slopes.T) for line in lines])
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

    def _line(self, measurement: Measurement, number: int, point: Curve) -> Line:
        """A line through the numbers around a point, each group of displacements under a disorder of its own."""
        names = self._settings.parameters
        values = displaced(self._prior[number], self._steps, names, groups=_GROUPS, seed=number)
        curves = [
            redrawn(point._replace(experiment=_moved(point.experiment, names, row)), group)
            for group, rows in enumerate(values)
            for row in rows
        ]
        numbers = self._numbers(measurement, number, curves, "displaced")
        return fit_line(values, numbers.reshape(*values.shape[:2], -1), self._steps)

    def _bound(self, whitened: Array) -> Array:
        """Bound on the covariance of the unknowns, shape (n_parameters, n_parameters), from slopes over noise."""
        information = whitened.T @ whitened + self._known
        # Unknowns differ in scale by orders of magnitude; a unit diagonal keeps the inverse accurate.
        scale = 1 / np.sqrt(np.diag(information))
        bound: Array = scale[:, None] * np.linalg.inv(scale[:, None] * information * scale) * scale
        return bound

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

    def _spread(self, target: str) -> float:
        """Variance of a target over the prior, MHz^2."""
        return float(self._bench.targets[:, ("W", "X", "Z").index(target)].var())


def _moved(experiment: Experiment, names: tuple[Parameter, ...], values: Array) -> Experiment:
    for name, value in zip(names, values, strict=True):
        experiment = changed(experiment, name, float(value))
    return experiment


def _standard_error(shares: Array) -> float:
    """Of the mean over points, from a bootstrap over them."""
    rows = np.random.default_rng(0).integers(shares.size, size=(_RESAMPLES, shares.size))
    return float(shares[rows].mean(axis=1).std())
