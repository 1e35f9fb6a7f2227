"""Random forests and extremely randomised trees."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import joblib
import optuna
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)

from nmr_platform.learning.models.estimator import Estimator
from nmr_platform.learning.tasks import Task

__all__ = ["ExtraTrees", "RandomForest"]


@dataclass(frozen=True)
class _Forest:
    """What both kinds of forest share.

    Attributes:
        n_estimators: Number of trees; more never hurts the score, so it is set and not searched.
    """

    n_estimators: int = 100

    name: ClassVar[str]
    regressor: ClassVar[Callable[..., Estimator]]
    classifier: ClassVar[Callable[..., Estimator]]
    widest: ClassVar[float]

    def search_space(self, trial: optuna.Trial) -> dict[str, Any]:
        """Suggest parameters of one trial."""
        return {
            "n_estimators": self.n_estimators,
            "max_features": trial.suggest_float("max_features", 0.02, self.widest, log=True),
            "min_samples_leaf": trial.suggest_int("min_samples_leaf", 1, 16, log=True),
            "max_depth": trial.suggest_int("max_depth", 4, 24, log=True),
        }

    def build(self, params: dict[str, Any], task: Task, *, seed: int, n_jobs: int = 1) -> Estimator:
        """An unfitted estimator; a classifier weighs classes by the rows that it is fitted on."""
        settings = {**params, "random_state": seed, "n_jobs": joblib.effective_n_jobs(n_jobs)}
        if task.class_names:
            return self.classifier(**settings, class_weight="balanced")
        return self.regressor(**settings)


@dataclass(frozen=True)
class RandomForest(_Forest):
    """Bagged trees with the best threshold of each candidate feature."""

    name: ClassVar[str] = "random_forest"
    regressor: ClassVar[Callable[..., Estimator]] = RandomForestRegressor
    classifier: ClassVar[Callable[..., Estimator]] = RandomForestClassifier
    # Cost grows with the share of features that are sorted at every node. Neighbouring samples of an echo say nearly
    # the same, so that a twelfth of them is a wide choice.
    widest: ClassVar[float] = 0.08


@dataclass(frozen=True)
class ExtraTrees(_Forest):
    """Trees with a random threshold for each candidate feature: cheaper, so wider."""

    name: ClassVar[str] = "extra_trees"
    regressor: ClassVar[Callable[..., Estimator]] = ExtraTreesRegressor
    classifier: ClassVar[Callable[..., Estimator]] = ExtraTreesClassifier
    widest: ClassVar[float] = 0.2
