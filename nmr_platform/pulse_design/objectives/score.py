"""How well a quick estimator reads the coupling from the echoes of a measurement."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Annotated, Literal

import numpy as np
from joblib import parallel_config
from numpy.typing import NDArray
from pydantic import Field
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold, cross_val_predict

from nmr_platform.features import WindowedFeatures
from nmr_platform.learning import Bootstrap, regression_statistics
from nmr_platform.pulse_design.ensemble import TARGETS, Ensemble
from nmr_platform.pulse_design.objectives.objective import LOWEST, Judgement, ObjectiveSettings, Targets
from nmr_platform.pulse_design.signals import feature_table
from nmr_platform.pulse_design.spaces import Measurement

__all__ = ["CrossValidated", "ScoreObjective", "ScoreSettings"]

Array = NDArray[np.float64]


class ScoreSettings(ObjectiveSettings):
    """Cross-validated R2 of a quick estimator, averaged over the targets.

    Attributes:
        targets: What is to be read off: W, X = alpha_x sum K, Z = alpha_z sum K.
        cv_folds: Folds of the cross-validation.
        n_estimators: Trees of the estimator.

    A 90 degree pulse hides Z; tipping by 60 degrees reveals it.

    Example:
        >>> from nmr_platform.datasets import read_preset
        >>> from nmr_platform.features import PolynomialFeatures
        >>> from nmr_platform.physics import Hahn
        >>> from nmr_platform.pulse_design import Ensemble, Measurement
        >>> features = PolynomialFeatures(kind="polynomial", signal="complex", half_width=150)
        >>> recipe = read_preset("august2021").recipe("gaussian")
        >>> small = {**recipe.experiment, "lattice": {"shape": [12, 12]}}
        >>> few = Ensemble(recipe.replace(n_curves=40, constraints={}, experiment=small))
        >>> objective = ScoreSettings(kind="score", targets=["Z"], cv_folds=4, n_estimators=50).prepare(
        ...     {"gaussian": few}, "gaussian", features, 0
        ... )
        >>> echoes = [Measurement((Hahn(tau=30.0, theta1=theta1),)) for theta1 in (90.0, 60.0)]
        >>> [bool(objective.judge(echo).value > 0.5) for echo in echoes]
        [False, True]
    """

    kind: Literal["score"]
    targets: Targets
    cv_folds: Annotated[int, Field(ge=2, le=1000)]
    n_estimators: Annotated[int, Field(gt=0, le=100_000)]

    def require_enough(self, n_curves: int) -> None:
        """Every fold needs two curves."""
        if 2 * self.cv_folds > n_curves:
            message = (
                f"Key `pulse_search.objective.cv_folds` must leave two curves or more in every fold, but there are "
                f"{self.cv_folds} folds for {n_curves} curves."
            )
            raise ValueError(message)

    def prepare(
        self, ensembles: Mapping[str, Ensemble], kernel: str, features: WindowedFeatures, seed: int
    ) -> "ScoreObjective":
        """See `ObjectiveSettings`."""
        return ScoreObjective(ensembles[kernel], self, features, seed)


@dataclass(frozen=True)
class CrossValidated:
    """What the estimator said of curves that it had not seen.

    Attributes:
        true: W, X and Z of every curve, MHz, shape (n_curves, 3).
        predicted: The same as predicted, shape (n_curves, 3).
    """

    true: Array
    predicted: Array


class ScoreObjective:
    """Cross-validated R2 of extremely randomised trees, on freshly simulated curves with common random numbers.

    Args:
        ensemble: The curves.
        settings: Targets, folds and trees.
        features: What the estimator sees of each window.
        seed: Of the folds and the trees.
    """

    def __init__(self, ensemble: Ensemble, settings: ScoreSettings, features: WindowedFeatures, seed: int) -> None:
        self._ensemble = ensemble
        self._settings = settings
        self._features = features
        self._seed = seed
        self._y = ensemble.targets

    @property
    def label(self) -> str:
        """Name of the value."""
        return f"cross-validated R² of {' and '.join(self._settings.targets)}"

    def judge(self, measurement: Measurement, share: float = 1.0) -> Judgement:
        """See `Objective`; the fewest curves are those that leave two in every fold."""
        seen = self.cross_validate(measurement, share)
        columns = [TARGETS.index(name) for name in self._settings.targets]
        scores = [float(r2_score(seen.true[:, i], seen.predicted[:, i])) for i in range(len(TARGETS))]
        bootstrap, curves = Bootstrap(seed=self._seed), np.arange(len(seen.true))
        resampled = [
            bootstrap.resampled(regression_statistics(seen.true[:, i], seen.predicted[:, i]), curves)["r2"]
            for i in columns
        ]
        return Judgement(
            value=max(LOWEST, float(np.mean([scores[i] for i in columns]))),
            error=float(np.mean(resampled, axis=0).std()),
            details={f"r2_{name}": score for name, score in zip(TARGETS, scores, strict=True)},
        )

    def cross_validate(self, measurement: Measurement, share: float = 1.0) -> CrossValidated:
        """Simulate the curves and predict each from the others.

        Args:
            measurement: The sequences.
            share: Part of the curves to use, in (0, 1]; two in every fold are used at least.
        """
        n = max(2 * self._settings.cv_folds, ceil(share * len(self._ensemble.curves)))
        experiments = [self._ensemble.experiment(sequence) for sequence in measurement]
        table = feature_table(self._ensemble.records(measurement, n), experiments, self._features)
        folds = KFold(self._settings.cv_folds, shuffle=True, random_state=self._seed)
        # Threads share out the folds, not the trees: a forest that predicts on threads adds its trees up in any order,
        # and the last digit of the score would depend on which was first.
        with parallel_config("threading"):
            predicted = cross_val_predict(self._estimator(), table.to_numpy(), self._y[:n], cv=folds, n_jobs=-1)
        return CrossValidated(self._y[:n], predicted)

    def _estimator(self) -> ExtraTreesRegressor:
        # Extremely randomised trees need no tuning to rank sequences, and fit in a fraction of the simulation's time.
        return ExtraTreesRegressor(self._settings.n_estimators, max_features=0.5, random_state=self._seed)
