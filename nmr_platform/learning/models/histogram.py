"""Histogram gradient boosting of scikit-learn, the second opinion to XGBoost."""

from dataclasses import dataclass
from typing import Any, ClassVar

import optuna
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from nmr_platform.learning.models.estimator import Estimator
from nmr_platform.learning.tasks import Task

__all__ = ["HistogramBoosting"]


@dataclass(frozen=True)
class HistogramBoosting:
    """Boosting on histograms by scikit-learn."""

    name: ClassVar[str] = "histogram_boosting"

    def search_space(self, trial: optuna.Trial) -> dict[str, Any]:
        """Suggest parameters of one trial."""
        return {
            "max_iter": trial.suggest_int("max_iter", 100, 400, step=50),
            "learning_rate": trial.suggest_float("learning_rate", 0.02, 0.3, log=True),
            "max_depth": trial.suggest_int("max_depth", 2, 8),
            "min_samples_leaf": trial.suggest_int("min_samples_leaf", 5, 40, log=True),
            "max_features": trial.suggest_float("max_features", 0.1, 1.0),
            "l2_regularization": trial.suggest_float("l2_regularization", 0.01, 10.0, log=True),
        }

    def build(self, params: dict[str, Any], task: Task, *, seed: int, n_jobs: int = 1) -> Estimator:  # noqa: ARG002
        """An unfitted estimator; a classifier weighs classes by the rows that it is fitted on."""
        settings = {**params, "random_state": seed, "early_stopping": False, "max_bins": 128}
        if task.class_names:
            return HistGradientBoostingClassifier(**settings, class_weight="balanced")
        return HistGradientBoostingRegressor(**settings)
