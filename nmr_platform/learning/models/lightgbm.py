"""Gradient boosted trees of LightGBM, which split the leaf that gains most; its library is an extra."""

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nmr_platform.learning.models.estimator import Estimator, Table, Watch
from nmr_platform.learning.models.family import LOOK_EVERY, Family, penalties, rounds
from nmr_platform.learning.models.xgboost import BalancedClasses

if TYPE_CHECKING:
    import optuna
    import pandas as pd

__all__ = ["LightGBM"]

# One thread for the reasons of XGBoost. Which way histograms are added up is otherwise decided by a stopwatch.
_FIXED = {"n_jobs": 1, "max_bin": 127, "subsample_freq": 1, "deterministic": True, "force_row_wise": True}


class LightGBM(Family):
    """Boosting of trees that grow leaf by leaf, one thread per fit."""

    kind: Literal["lightgbm"] = "lightgbm"

    library: ClassVar[str | None] = "lightgbm"
    trusted_types: ClassVar[tuple[str, ...]] = (
        "collections.OrderedDict",
        "lightgbm.basic.Booster",
        "lightgbm.sklearn.LGBMClassifier",
        "lightgbm.sklearn.LGBMRegressor",
    )
    requirements: ClassVar[tuple[str, ...]] = ("scikit-learn", "lightgbm")

    def search_space(self, trial: "optuna.Trial") -> dict[str, Any]:
        """Suggest parameters of one trial."""
        return {
            **rounds(trial, "n_estimators"),
            "num_leaves": trial.suggest_int("num_leaves", 4, 64, log=True),
            "min_child_samples": trial.suggest_int("min_child_samples", 2, 32, log=True),
            "subsample": trial.suggest_float("subsample", 0.5, 1.0),
            **penalties(trial, "colsample_bytree", "reg_lambda"),
        }

    def regressor(self, params: dict[str, Any], *, seed: int, n_jobs: int) -> Any:  # noqa: ARG002
        """An unfitted regressor, see `Family.regressor`."""
        from lightgbm import LGBMRegressor  # noqa: PLC0415 settings are read without it

        return LGBMRegressor(**params, **_FIXED, random_state=seed, verbosity=-1)

    def classifier(self, params: dict[str, Any], *, seed: int, n_jobs: int) -> Any:  # noqa: ARG002
        """An unfitted classifier that weighs classes by the rows that it is fitted on, see `Family.classifier`."""
        from lightgbm import LGBMClassifier  # noqa: PLC0415 settings are read without it

        return BalancedClasses(LGBMClassifier(**params, **_FIXED, random_state=seed, verbosity=-1))

    def weights(self, model: Any, n_features: int) -> NDArray[np.float64]:  # noqa: ARG002
        """Gain of the splits at each feature, see `Family.weights`."""
        booster = getattr(model, "model", model).booster_
        return np.asarray(booster.feature_importance("gain"), dtype=np.float64)

    def contributions(self, model: Any, features: "pd.DataFrame") -> NDArray[np.floating]:
        """SHAP values by path: of the target, or of the log-odds of each class, see `Family.contributions`."""
        booster = getattr(model, "model", model).booster_
        values = np.asarray(booster.predict(features, pred_contrib=True, num_threads=1))
        # Class after class, each with the mean prediction last.
        return np.moveaxis(values.reshape(len(features), -1, features.shape[1] + 1)[..., :-1], 1, -1)

    def fit_watched(
        self,
        estimator: Estimator,
        training: tuple[Table, ArrayLike],
        x_watched: NDArray[np.float32],
        watch: Watch,
    ) -> None:
        """Fit as ``fit`` would, and tell ``watch`` every 25 rounds, see `Family.fit_watched`."""
        wrapped: Any = estimator

        def look(state: Any) -> None:
            done = state.iteration + 1
            if done % LOOK_EVERY == 0:
                watch(done, wrapped.restore(np.asarray(state.model.predict(x_watched))))

        wrapped.fit(*training, callbacks=[look])
