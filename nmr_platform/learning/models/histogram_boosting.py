"""Histogram gradient boosting of scikit-learn, the second opinion to XGBoost."""

from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from nmr_platform.learning.models.estimator import Table
from nmr_platform.learning.models.family import Family, penalties, rounds
from nmr_platform.learning.models.forests import explain_trees

if TYPE_CHECKING:
    import optuna
    import pandas as pd

__all__ = ["HistogramBoosting", "HistogramClassifier", "HistogramRegressor"]

_FIXED = {"early_stopping": False, "max_bins": 128}


class _OneThread:
    """Fits and predicts on one thread: OpenMP's wait for each other in busy loops, and other fits have the other cores.

    The number of OpenMP's threads belongs to the thread that asks, so that whoever starts threads cannot limit theirs.
    """

    def fit(self, X: Table, y: ArrayLike) -> Self:
        """Fit on one thread, see `Estimator.fit`."""
        with threadpool_limits(limits=1, user_api="openmp"):
            fitted: Self = super().fit(X, y)  # type: ignore[misc]
        return fitted

    def _raw_predict(self, X: Table, n_threads: int | None = None) -> Any:  # noqa: ARG002
        return super()._raw_predict(X, n_threads=1)  # type: ignore[misc]


class HistogramRegressor(_OneThread, HistGradientBoostingRegressor):  # type: ignore[misc, unused-ignore]
    """Scikit-learn's regressor on one thread."""


class HistogramClassifier(_OneThread, HistGradientBoostingClassifier):  # type: ignore[misc, unused-ignore]
    """Scikit-learn's classifier on one thread."""


class HistogramBoosting(Family):
    """Boosting on histograms by scikit-learn."""

    kind: Literal["histogram_boosting"] = "histogram_boosting"

    trusted_types: ClassVar[tuple[str, ...]] = (
        f"{HistogramClassifier.__module__}.{HistogramClassifier.__name__}",
        f"{HistogramRegressor.__module__}.{HistogramRegressor.__name__}",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    )

    def search_space(self, trial: "optuna.Trial") -> dict[str, Any]:
        """Suggest parameters of one trial."""
        return {
            **rounds(trial, "max_iter"),
            "min_samples_leaf": trial.suggest_int("min_samples_leaf", 5, 40, log=True),
            **penalties(trial, "max_features", "l2_regularization"),
        }

    def regressor(self, params: dict[str, Any], *, seed: int, n_jobs: int) -> Any:  # noqa: ARG002
        """An unfitted regressor, see `Family.regressor`."""
        return HistogramRegressor(**params, **_FIXED, random_state=seed)

    def classifier(self, params: dict[str, Any], *, seed: int, n_jobs: int) -> Any:  # noqa: ARG002
        """An unfitted classifier that weighs classes by the rows that it is fitted on, see `Family.classifier`."""
        return HistogramClassifier(**params, **_FIXED, random_state=seed, class_weight="balanced")

    def weights(self, model: Any, n_features: int) -> NDArray[np.float64]:
        """Gain of the splits at each feature, see `Family.weights`.

        Scikit-learn keeps it for every split and does not add it up.
        """
        gain = np.zeros(n_features)
        for tree in (tree for trees in model._predictors for tree in trees):
            splits = tree.nodes[tree.nodes["is_leaf"] == 0]
            np.add.at(gain, splits["feature_idx"].astype(np.intp), splits["gain"])
        return gain

    def contributions(self, model: Any, features: "pd.DataFrame") -> NDArray[np.floating]:
        """SHAP values by path: of the target, or of the log-odds of each class, see `Family.contributions`."""
        return explain_trees(model, features)
