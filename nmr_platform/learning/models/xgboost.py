"""Gradient boosted trees of XGBoost, with class names kept and classes weighted inside every fit."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.class_weight import compute_sample_weight

from nmr_platform.learning.models.estimator import Estimator, Table, Watch
from nmr_platform.learning.models.family import LOOK_EVERY, Family, penalties, rounds

if TYPE_CHECKING:
    import optuna
    import pandas as pd

__all__ = ["BalancedClasses", "XGBoost"]

# One thread whatever the caller asks for: XGBoost's threads wait for each other in busy loops, and a fit that shares
# its cores with anything else takes ten times as long; nor do sums of many threads give the same bits. Folds run in
# parallel instead.
_FIXED = {"n_jobs": 1, "tree_method": "hist", "max_bin": 128}


class BalancedClasses(ClassifierMixin, BaseEstimator):
    """A classifier of numbered classes that takes and gives names, with balanced sample weights.

    The weights come from the rows that it is fitted on and nothing else, so they never leave a training fold.

    Attributes:
        model: The classifier that it wraps; it is fitted in place, as the steps of a pipeline are.
        classes_: Class names in the order of the columns of ``predict_proba``, shape (n_classes,).
    """

    def __init__(self, model: Any) -> None:
        self.model = model

    def fit(self, X: Table, y: ArrayLike, **options: Any) -> Self:
        """Fit on class names, see `Estimator.fit`; ``options`` are those of the fit of the wrapped model."""
        self.classes_, codes = np.unique(np.asarray(y), return_inverse=True)
        self.model.fit(X, codes, sample_weight=compute_sample_weight("balanced", codes), **options)
        return self

    def predict(self, X: Table) -> NDArray[Any]:
        """The most probable class name of every row, shape (n,)."""
        return self.restore(self.model.predict_proba(X))

    def predict_proba(self, X: Table) -> NDArray[np.float32]:
        """The probability of every class, shape (n, n_classes)."""
        return np.asarray(self.model.predict_proba(X))

    def restore(self, probabilities: NDArray[np.floating]) -> NDArray[Any]:
        """The most probable class name of every row, shape (n,).

        Args:
            probabilities: Of every class, shape (n, n_classes), or of the second of two, shape (n,).
        """
        codes = probabilities > 0.5 if probabilities.ndim == 1 else probabilities.argmax(axis=1)
        names: NDArray[Any] = self.classes_[codes.astype(np.intp)]
        return names


class XGBoost(Family):
    """Boosting on histograms, one thread per fit."""

    kind: Literal["xgboost"] = "xgboost"

    # 2: targets are scaled; before, splits of a gain below 1e-6 were dropped, whatever the unit of the target.
    revision: ClassVar[int] = 2
    trusted_types: ClassVar[tuple[str, ...]] = (
        f"{BalancedClasses.__module__}.{BalancedClasses.__name__}",
        "xgboost.core.Booster",
        "xgboost.sklearn.XGBClassifier",
        "xgboost.sklearn.XGBRegressor",
    )
    requirements: ClassVar[tuple[str, ...]] = ("scikit-learn", "xgboost")

    def search_space(self, trial: "optuna.Trial") -> dict[str, Any]:
        """Suggest parameters of one trial."""
        return {
            **rounds(trial, "n_estimators"),
            "min_child_weight": trial.suggest_float("min_child_weight", 0.5, 20.0, log=True),
            "subsample": trial.suggest_float("subsample", 0.5, 1.0),
            **penalties(trial, "colsample_bytree", "reg_lambda"),
        }

    def regressor(self, params: dict[str, Any], *, seed: int, n_jobs: int) -> Any:  # noqa: ARG002
        """An unfitted regressor, see `Family.regressor`."""
        from xgboost import XGBRegressor  # noqa: PLC0415 settings are read without it

        return XGBRegressor(**params, **_FIXED, random_state=seed)

    def classifier(self, params: dict[str, Any], *, seed: int, n_jobs: int) -> Any:  # noqa: ARG002
        """An unfitted classifier that weighs classes by the rows that it is fitted on, see `Family.classifier`."""
        from xgboost import XGBClassifier  # noqa: PLC0415 settings are read without it

        return BalancedClasses(XGBClassifier(**params, **_FIXED, random_state=seed))

    def weights(self, model: Any, n_features: int) -> NDArray[np.float64]:  # noqa: ARG002
        """Mean gain of the splits at each feature, see `Family.weights`."""
        return np.asarray(getattr(model, "model", model).feature_importances_, dtype=np.float64)

    def contributions(self, model: Any, features: "pd.DataFrame") -> NDArray[np.floating]:
        """SHAP values by path: of the target, or of the log-odds of each class, see `Family.contributions`."""
        from xgboost import DMatrix  # noqa: PLC0415 settings are read without it

        booster = getattr(model, "model", model).get_booster()
        # The last column is the mean prediction; classes come before features.
        values = booster.predict(DMatrix(features, nthread=1), pred_contribs=True)[..., :-1]
        return np.asarray(np.moveaxis(values, 1, -1) if values.ndim == 3 else values)

    def fit_watched(
        self,
        estimator: Estimator,
        training: tuple[Table, ArrayLike],
        x_watched: NDArray[np.float32],
        watch: Watch,
    ) -> None:
        """Fit as ``fit`` would, and tell ``watch`` every 25 rounds, see `Family.fit_watched`."""
        wrapped: Any = estimator
        estimator.set_params(model__callbacks=[_looking(x_watched, wrapped.restore, watch)])
        try:
            estimator.fit(*training)
        finally:
            estimator.set_params(model__callbacks=None)


def _looking(x: NDArray[np.float32], restore: Callable[[NDArray[Any]], NDArray[Any]], watch: Watch) -> object:
    """A callback that hands predictions of an unfinished booster to whoever watches."""
    from xgboost.callback import TrainingCallback  # noqa: PLC0415 settings are read without it

    class Looking(TrainingCallback):
        def after_iteration(self, model: Any, epoch: int, evals_log: object) -> bool:  # noqa: ARG002
            """Look every so many rounds; a fit is stopped by an exception only."""
            if (epoch + 1) % LOOK_EVERY == 0:
                watch(epoch + 1, restore(np.asarray(model.inplace_predict(x))))
            return False

    return Looking()
