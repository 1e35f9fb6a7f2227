"""How well a quick estimator reads the coupling from the echoes of some sequences."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Annotated, Any, Literal, Self

import numpy as np
from joblib import parallel_config
from numpy.typing import NDArray
from pydantic import Field, model_validator
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.linear_model import RidgeCV
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from nmr_platform.features import WindowedFeatures
from nmr_platform.learning import Bootstrap, regression_statistics
from nmr_platform.pulse_design.ensemble import Ensemble
from nmr_platform.pulse_design.objectives.objective import LOWEST, Judgement, ObjectiveSettings, Targets, values_of
from nmr_platform.pulse_design.signals import feature_table
from nmr_platform.pulse_design.spaces import SequenceSet

__all__ = ["CrossValidated", "ScoreObjective", "ScoreSettings"]

Array = NDArray[np.float64]

# Penalties on standardised columns, of which leaving one curve out chooses one for every target.
_PENALTIES = np.logspace(-3, 4, 15)


class ScoreSettings(ObjectiveSettings):
    """Cross-validated R2 of a quick estimator, averaged over the targets.

    Attributes:
        targets: What is to be read off: W, X = alpha_x sum K, Z = alpha_z sum K, or whatever else the prior draws.
        cv_folds: Folds of the cross-validation.
        estimator: ``trees``, extremely randomised ones, or ``ridge`` regression on standardised columns, whose penalty
            is chosen by leaving one curve out.
        n_estimators: Number of trees; not for ``ridge``.

    A 90 degree pulse hides Z; tipping by 60 degrees reveals it.

    Example:
        >>> from nmr_platform.datasets import read_preset
        >>> from nmr_platform.features import PolynomialFeatures
        >>> from nmr_platform.physics import Hahn
        >>> from nmr_platform.pulse_design import Ensemble, SequenceSet
        >>> features = PolynomialFeatures(kind="polynomial", signal="complex", half_width=150)
        >>> recipe = read_preset("august2021").recipe("gaussian")
        >>> small = {**recipe.experiment, "lattice": {"shape": [12, 12]}}
        >>> few = Ensemble(recipe.replace(n_curves=40, constraints={}, experiment=small))
        >>> objective = ScoreSettings(kind="score", targets=["Z"], cv_folds=4, n_estimators=50).prepare(
        ...     {"gaussian": few}, "gaussian", features, 0
        ... )
        >>> echoes = [SequenceSet.of(Hahn(tau=30.0, theta1=theta1)) for theta1 in (90.0, 60.0)]
        >>> [bool(objective.judge(echo).value > 0.5) for echo in echoes]
        [False, True]
    """

    kind: Literal["score"]
    targets: Targets
    cv_folds: Annotated[int, Field(ge=2, le=1000)]
    estimator: Literal["trees", "ridge"] = "trees"
    n_estimators: Annotated[int, Field(gt=0, le=100_000)] | None = None

    @model_validator(mode="after")
    def _only_trees_are_counted(self) -> Self:
        if (self.n_estimators is None) == (self.estimator == "trees"):
            message = (
                f"Key `pulse_search.objective.n_estimators` must be given for trees and for nothing else, but is "
                f"{self.n_estimators} for {self.estimator}."
            )
            raise ValueError(message)
        return self

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
        true: The targets of every curve, shape (n_curves, n_targets), each in its own unit.
        predicted: The same as predicted, shape (n_curves, n_targets).
    """

    true: Array
    predicted: Array


class ScoreObjective:
    """Cross-validated R2 of a quick estimator, on freshly simulated curves with common random numbers.

    Args:
        ensemble: The curves.
        settings: Targets, folds and estimator.
        features: What the estimator sees of each record.
        seed: Of the folds and the trees.

    Raises:
        DataError: The prior does not draw a target, or draws one value of it.
    """

    def __init__(self, ensemble: Ensemble, settings: ScoreSettings, features: WindowedFeatures, seed: int) -> None:
        self._ensemble = ensemble
        self._settings = settings
        self._features = features
        self._seed = seed
        self._y = np.stack([values_of(ensemble, target) for target in settings.targets], axis=1)

    @property
    def label(self) -> str:
        """Name of the value."""
        return f"cross-validated R² of {' and '.join(self._settings.targets)}"

    def judge(self, tried: SequenceSet, share: float = 1.0) -> Judgement:
        """See `Objective`; the fewest curves are those that leave two in every fold."""
        seen = self.cross_validate(tried, share)
        pairs = list(zip(seen.true.T, seen.predicted.T, strict=True))
        scores = [float(r2_score(*pair)) for pair in pairs]
        bootstrap, curves = Bootstrap(seed=self._seed), np.arange(len(seen.true))
        resampled = [bootstrap.resampled(regression_statistics(*pair), curves)["r2"] for pair in pairs]
        return Judgement(
            value=max(LOWEST, float(np.mean(scores))),
            error=float(np.mean(resampled, axis=0).std()),
            details={f"r2_{name}": score for name, score in zip(self._settings.targets, scores, strict=True)},
        )

    def cross_validate(self, tried: SequenceSet, share: float = 1.0) -> CrossValidated:
        """Simulate the curves and predict each from the others.

        Args:
            tried: The sequences.
            share: Part of the curves to use, in (0, 1]; two in every fold are used at least.
        """
        n = max(2 * self._settings.cv_folds, ceil(share * len(self._ensemble.curves)))
        table = feature_table(self._ensemble.records(tried, n), self._ensemble.experiments(tried), self._features)
        folds = KFold(self._settings.cv_folds, shuffle=True, random_state=self._seed)
        # Trees weigh targets by their spread, which must not depend on the unit.
        spread = self._y.std(axis=0)
        y = self._y[:n] / spread
        # Threads share out the folds, not the trees: a forest that predicts on threads adds its trees up in any order,
        # and the last digit of the score would depend on which was first.
        with parallel_config("threading"):
            predicted = cross_val_predict(
                self._estimator(), table.to_numpy(np.float64), y[:, 0] if y.shape[1] == 1 else y, cv=folds, n_jobs=-1
            )
        return CrossValidated(self._y[:n], predicted.reshape(n, -1) * spread)

    def _estimator(self) -> Any:
        if self._settings.estimator == "ridge":
            return make_pipeline(StandardScaler(), RidgeCV(_PENALTIES, alpha_per_target=True))
        # Extremely randomised trees need no tuning to rank sequences, and fit in a fraction of the simulation's time.
        return ExtraTreesRegressor(self._settings.n_estimators, max_features=0.5, random_state=self._seed)
