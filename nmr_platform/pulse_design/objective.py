"""How well a quick estimator reads the coupling from the echoes of a sequence."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from joblib import parallel_config
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold, cross_val_predict

from nmr_platform.datasets import Curve, Recipe, simulate_curves
from nmr_platform.features import extract
from nmr_platform.physics import Hahn
from nmr_platform.pulse_design.resampling import resampled_r2
from nmr_platform.pulse_design.settings import PulseSearchSettings

__all__ = ["TARGETS", "Candidate", "ScoreObjective", "hahn_with"]

TARGETS = ("W", "X", "Z")


@dataclass(frozen=True)
class Candidate:
    """A sequence and what it is worth.

    Attributes:
        sequence: The sequence.
        scores: Cross-validated R2 of W, X and Z, by name.
        error: Standard error of the target's score, from a bootstrap over the curves.
        fold_scores: R2 of the target in every fold.
        simulated_time: Length of the record of one curve, us.
        true: W, X and Z of every curve, MHz, shape (n_curves, 3).
        predicted: What the estimator said of each when it had not seen it, MHz, shape (n_curves, 3).
        m: The simulated records, shape (n_curves, T).
    """

    sequence: Hahn
    scores: dict[str, float]
    error: float
    fold_scores: tuple[float, ...]
    simulated_time: float
    true: NDArray[np.float64]
    predicted: NDArray[np.float64]
    m: NDArray[np.complex64]


def hahn_with(sequence: Hahn, theta1: float, theta2: float) -> Hahn:
    """The same Hahn echo with other flip angles (degrees)."""
    return sequence.replace(theta1=theta1, theta2=theta2)


class ScoreObjective:
    """Cross-validated score of a quick estimator, on freshly simulated curves with common random numbers.

    Every sequence is tried on the same parameters and the same disorder, so that sequences differ by the sequence
    alone and the noise of the draw cancels in their comparison.

    Args:
        recipe: The prior to draw curves from, on the lattice of the search.
        settings: Target, number of curves, features and estimator.
    """

    def __init__(self, recipe: Recipe, settings: PulseSearchSettings) -> None:
        self._recipe = recipe
        self._settings = settings
        self._curves: Sequence[Curve] = [recipe.curve(number) for number in range(settings.n_curves)]
        self._targets = _targets(self._curves)

    def evaluate(self, sequence: Hahn) -> Candidate:
        """Simulate the curves under ``sequence`` and score the estimator on them."""
        settings = self._settings
        curves = [curve._replace(experiment=curve.experiment.replace(sequence=sequence)) for curve in self._curves]
        m = np.array([echo.m for echo in simulate_curves(curves, self._recipe)])
        experiment = curves[0].experiment
        table = extract(m, settings.features, echo_index=experiment.echo_indices[-1], step=experiment.step)
        folds = KFold(settings.cv_folds, shuffle=True, random_state=settings.seed)
        y = self._targets
        # Threads share out the folds, not the trees: a forest that predicts on threads adds its trees up in any order,
        # and the last digit of the score would depend on which was first.
        with parallel_config("threading"):
            predicted = cross_val_predict(self._estimator(), table.to_numpy(), y, cv=folds, n_jobs=-1)
        column = TARGETS.index(settings.target)
        true, guess = y[:, column], predicted[:, column]
        return Candidate(
            sequence=sequence,
            scores={name: float(r2_score(y[:, i], predicted[:, i])) for i, name in enumerate(TARGETS)},
            error=_bootstrap_error(true, guess, settings.seed),
            fold_scores=tuple(float(r2_score(true[part], guess[part])) for _, part in folds.split(true)),
            simulated_time=experiment.n_samples * experiment.step,
            true=y,
            predicted=predicted,
            m=m,
        )

    def _estimator(self) -> ExtraTreesRegressor:
        # Extremely randomised trees need no tuning to rank sequences, and fit in a fraction of the simulation's time.
        return ExtraTreesRegressor(self._settings.n_estimators, max_features=0.5, random_state=self._settings.seed)


def _targets(curves: Sequence[Curve]) -> NDArray[np.float64]:
    """W, X and Z of every curve, MHz, shape (n_curves, 3)."""
    experiments = [curve.experiment for curve in curves]
    return np.array(
        [[e.kernel_integral, e.coupling.alpha_x * e.kernel_sum, e.coupling.alpha_z * e.kernel_sum] for e in experiments]
    )


def _bootstrap_error(true: NDArray[np.float64], predicted: NDArray[np.float64], seed: int) -> float:
    """Standard error of R2 over resamples of the curves."""
    return float(resampled_r2(true, predicted, seed).std())
