"""Gradient boosted symmetric trees of CatBoost, all nodes of a level split alike; its library is an extra."""

from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator

from nmr_platform.learning.models.estimator import Table
from nmr_platform.learning.models.family import Family, penalties, rounds
from nmr_platform.learning.models.xgboost import BalancedClasses

if TYPE_CHECKING:
    import optuna
    import pandas as pd

__all__ = ["CatBoost", "Undated"]

# One thread for the reasons of XGBoost. Rows are weighed at random: drawn, a few of them would be an error.
_FIXED = {
    "thread_count": 1,
    "bootstrap_type": "Bayesian",
    "border_count": 128,
    "allow_const_label": True,
    "allow_writing_files": False,
    "logging_level": "Silent",
}


class Undated(BaseEstimator):
    """A model of CatBoost that does not remember when it was made, so that the same one is the same file.

    Attributes:
        model: The model that it wraps; it is fitted in place, as the steps of a pipeline are.
    """

    def __init__(self, model: Any) -> None:
        self.model = model

    def fit(self, X: Table, y: ArrayLike, **options: Any) -> Self:
        """Fit, see `Estimator.fit`; ``options`` are those of the fit of the wrapped model."""
        about = self.model.fit(X, y, **options).get_metadata()
        about["train_finish_time"] = about["model_guid"] = ""
        return self

    def predict(self, X: Table) -> NDArray[Any]:
        """Predict the target of every row, shape (n,), on one thread."""
        return np.asarray(self.model.predict(X, thread_count=1))

    def predict_proba(self, X: Table) -> NDArray[np.float64]:
        """The probability of every class, shape (n, n_classes), on one thread."""
        return np.asarray(self.model.predict_proba(X, thread_count=1))


class CatBoost(Family):
    """Boosting of symmetric trees, one thread per fit.

    A fit shows its model to no callback, so that a trial is pruned after its first fold and not between its rounds.
    """

    kind: Literal["catboost"] = "catboost"

    library: ClassVar[str | None] = "catboost"
    trusted_types: ClassVar[tuple[str, ...]] = (
        f"{Undated.__module__}.{Undated.__name__}",
        "catboost.core.CatBoostClassifier",
        "catboost.core.CatBoostRegressor",
    )
    requirements: ClassVar[tuple[str, ...]] = ("scikit-learn", "catboost")

    def search_space(self, trial: "optuna.Trial") -> dict[str, Any]:
        """Suggest parameters of one trial."""
        return {
            **rounds(trial, "n_estimators"),
            "bagging_temperature": trial.suggest_float("bagging_temperature", 0.0, 2.0),
            "random_strength": trial.suggest_float("random_strength", 0.1, 10.0, log=True),
            **penalties(trial, "rsm", "l2_leaf_reg"),
        }

    def regressor(self, params: dict[str, Any], *, seed: int, n_jobs: int) -> Any:  # noqa: ARG002
        """An unfitted regressor, see `Family.regressor`."""
        from catboost import CatBoostRegressor  # noqa: PLC0415 settings are read without it

        return Undated(CatBoostRegressor(**params, **_FIXED, random_state=seed))

    def classifier(self, params: dict[str, Any], *, seed: int, n_jobs: int) -> Any:  # noqa: ARG002
        """An unfitted classifier that weighs classes by the rows that it is fitted on, see `Family.classifier`."""
        from catboost import CatBoostClassifier  # noqa: PLC0415 settings are read without it

        return BalancedClasses(Undated(CatBoostClassifier(**params, **_FIXED, random_state=seed)))

    def weights(self, model: Any, n_features: int) -> NDArray[np.float64]:  # noqa: ARG002
        """How much predictions change with each feature, over the leaves, see `Family.weights`."""
        return np.asarray(_innermost(model).feature_importances_, dtype=np.float64)

    def contributions(self, model: Any, features: "pd.DataFrame") -> NDArray[np.floating]:
        """SHAP values by path: of the target, or of the log-odds of each class, see `Family.contributions`."""
        from catboost import Pool  # noqa: PLC0415 settings are read without it

        values = _innermost(model).get_feature_importance(Pool(features), type="ShapValues", thread_count=1)
        # The last column is the mean prediction; classes come before features.
        values = np.asarray(values)[..., :-1]
        return np.moveaxis(values, 1, -1) if values.ndim == 3 else values


def _innermost(model: Any) -> Any:
    """CatBoost's own model."""
    undated = model.model if isinstance(model, BalancedClasses) else model
    return undated.model
