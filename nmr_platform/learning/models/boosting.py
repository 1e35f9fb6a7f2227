"""Gradient boosted trees, with class names kept and classes weighted inside every fit."""

import json
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import optuna
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.class_weight import compute_sample_weight
from xgboost import Booster, XGBClassifier, XGBRegressor
from xgboost.callback import TrainingCallback

from nmr_platform.learning.models.estimator import Estimator, Rows, Watch
from nmr_platform.learning.tasks import Task

__all__ = ["BalancedXGBClassifier", "XGBoost"]

_NAMES = "class_names"
# Rounds between two looks at a watched fit: a look costs about as much as a round.
_LOOK_EVERY = 25


class BalancedXGBClassifier(XGBClassifier):
    """XGBoost's classifier, taking and giving names, with balanced sample weights.

    The weights come from the rows that it is fitted on and nothing else, so they never leave a training fold. The
    names are an attribute of the booster: they survive pickling, cloning of parameters and XGBoost's own files.
    """

    def fit(self, X: Rows, y: ArrayLike, **kwargs: object) -> Self:
        """Fit on features, shape (n, n_features), and class names, shape (n,)."""
        names, codes = np.unique(np.asarray(y), return_inverse=True)
        # XGBoost compares the codes with `classes_`, which must not remember the names of an earlier fit.
        if self.__sklearn_is_fitted__():
            del self._Booster
        super().fit(X, codes, sample_weight=compute_sample_weight("balanced", codes), **kwargs)
        self.get_booster().set_attr(**{_NAMES: json.dumps(names.tolist())})
        return self

    @property
    def classes_(self) -> NDArray[Any]:
        """Class names in the order of the columns of ``predict_proba``, shape (n_classes,)."""
        names = self.get_booster().attr(_NAMES) if self.__sklearn_is_fitted__() else None
        return np.arange(self.n_classes_) if names is None else np.asarray(json.loads(names))

    def predict(self, X: Rows, **kwargs: object) -> NDArray[Any]:
        """The most probable class name of every row, shape (n,)."""
        codes = np.asarray(super().predict(X, **kwargs))
        names: NDArray[Any] = self.classes_[codes]
        return names


@dataclass(frozen=True)
class XGBoost:
    """Boosting on histograms, one thread per fit."""

    name: ClassVar[str] = "xgboost"

    def search_space(self, trial: optuna.Trial) -> dict[str, Any]:
        """Suggest parameters of one trial."""
        return {
            "n_estimators": trial.suggest_int("n_estimators", 100, 400, step=50),
            "learning_rate": trial.suggest_float("learning_rate", 0.02, 0.3, log=True),
            "max_depth": trial.suggest_int("max_depth", 2, 8),
            "min_child_weight": trial.suggest_float("min_child_weight", 0.5, 20.0, log=True),
            "subsample": trial.suggest_float("subsample", 0.5, 1.0),
            "colsample_bytree": trial.suggest_float("colsample_bytree", 0.1, 1.0),
            "reg_lambda": trial.suggest_float("reg_lambda", 0.01, 10.0, log=True),
        }

    def build(self, params: dict[str, Any], task: Task, *, seed: int, n_jobs: int = 1) -> Estimator:  # noqa: ARG002
        """An unfitted estimator; a classifier weighs classes by the rows that it is fitted on.

        It has one thread whatever ``n_jobs`` says: XGBoost's threads wait for each other in busy loops, and a fit that
        shares its cores with anything else takes ten times as long. Folds run in parallel instead.
        """
        kind = BalancedXGBClassifier if task.class_names else XGBRegressor
        return kind(**params, random_state=seed, n_jobs=1, tree_method="hist", max_bin=128)

    def fit_watched(
        self,
        estimator: Estimator,
        training: tuple[NDArray[np.float32], NDArray[np.generic]],
        x_watched: NDArray[np.float32],
        watch: Watch,
    ) -> None:
        """Fit as `fit` would, and tell ``watch`` every 25 rounds what the model would predict."""
        x, y = training
        names = np.unique(y) if isinstance(estimator, BalancedXGBClassifier) else None
        estimator.set_params(callbacks=[_Looking(x_watched, names, watch)])
        try:
            estimator.fit(x, y)
        finally:
            estimator.set_params(callbacks=None)


class _Looking(TrainingCallback):
    """Hands predictions of an unfinished booster to whoever watches."""

    def __init__(self, x: NDArray[np.float32], names: NDArray[Any] | None, watch: Watch) -> None:
        super().__init__()
        self._x, self._names, self._watch = x, names, watch

    def after_iteration(self, model: Booster, epoch: int, evals_log: object) -> bool:  # noqa: ARG002
        """Look every so many rounds; a fit is stopped by an exception only."""
        if (epoch + 1) % _LOOK_EVERY == 0:
            raw = np.asarray(model.inplace_predict(self._x))
            self._watch(epoch + 1, raw if self._names is None else self._names[_codes(raw)])
        return False


def _codes(probabilities: NDArray[np.float32]) -> NDArray[np.intp]:
    """The most probable class: of two, the probability of the second is all there is."""
    if probabilities.ndim == 1:
        return (probabilities > 0.5).astype(np.intp)
    return probabilities.argmax(axis=1)
