"""Random forests and extremely randomised trees."""

import warnings
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import joblib
import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)

from nmr_platform.learning.models.family import Family

if TYPE_CHECKING:
    import optuna
    import pandas as pd

__all__ = ["ExtraTrees", "RandomForest", "explain_trees"]

_TREES = 100


class _Forest(Family):
    """What both kinds of forest share.

    Attributes:
        n_estimators: Number of trees; more never hurts the score, so it is set and not searched. None for the number
            that ``tune.n_estimators`` says.
    """

    n_estimators: int | None = Field(default=None, ge=1, le=100_000)

    trusted_types: ClassVar[tuple[str, ...]] = ("sklearn.tree._tree.Tree",)

    makers: ClassVar[tuple[Any, Any]]
    widest: ClassVar[float]

    def search_space(self, trial: "optuna.Trial") -> dict[str, Any]:
        """Suggest parameters of one trial."""
        return {
            "n_estimators": self.n_estimators or _TREES,
            "max_features": trial.suggest_float("max_features", 0.02, self.widest, log=True),
            "min_samples_leaf": trial.suggest_int("min_samples_leaf", 1, 16, log=True),
            "max_depth": trial.suggest_int("max_depth", 4, 24, log=True),
        }

    def regressor(self, params: dict[str, Any], *, seed: int, n_jobs: int) -> Any:
        """An unfitted forest, see `Family.regressor`."""
        return self.makers[0](**params, random_state=seed, n_jobs=joblib.effective_n_jobs(n_jobs))

    def classifier(self, params: dict[str, Any], *, seed: int, n_jobs: int) -> Any:
        """An unfitted forest that weighs classes by the rows that it is fitted on, see `Family.classifier`."""
        threads = joblib.effective_n_jobs(n_jobs)
        return self.makers[1](**params, random_state=seed, n_jobs=threads, class_weight="balanced")

    def weights(self, model: Any, n_features: int) -> NDArray[np.float64]:  # noqa: ARG002
        """How much the splits at each feature lower the impurity, see `Family.weights`."""
        return np.asarray(model.feature_importances_, dtype=np.float64)

    def contributions(self, model: Any, features: "pd.DataFrame") -> NDArray[np.floating]:
        """SHAP values by path: of the target, or of the probability of each class, see `Family.contributions`."""
        return explain_trees(model, features)

    def sized(self, n_estimators: int) -> Self:
        """The forest with this number of trees, unless it was given one of its own."""
        return self.replace(n_estimators=self.n_estimators or n_estimators)


class RandomForest(_Forest):
    """Bagged trees with the best threshold of each candidate feature."""

    kind: Literal["random_forest"] = "random_forest"

    makers: ClassVar[tuple[Any, Any]] = (RandomForestRegressor, RandomForestClassifier)
    # Cost grows with the share of features that are sorted at every node. Neighbouring samples of an echo say nearly
    # the same, so that a twelfth of them is a wide choice.
    widest: ClassVar[float] = 0.08


class ExtraTrees(_Forest):
    """Trees with a random threshold for each candidate feature: cheaper, so wider."""

    kind: Literal["extra_trees"] = "extra_trees"

    makers: ClassVar[tuple[Any, Any]] = (ExtraTreesRegressor, ExtraTreesClassifier)
    widest: ClassVar[float] = 0.2


def explain_trees(model: Any, features: "pd.DataFrame") -> NDArray[np.floating]:
    """SHAP values of scikit-learn's trees, exact (Lundberg et al., Nat. Mach. Intell. 2, 56 (2020)).

    Args:
        model: A fitted forest or boosting of scikit-learn.
        features: What to explain, shape (n, n_features).

    Returns:
        Shape (n, n_features), or (n, n_features, n_classes), in the units of the model.
    """
    with warnings.catch_warnings():
        # shap makes its colours in a way that Matplotlib is going to drop.
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        import shap  # noqa: PLC0415 its import takes seconds, which only a champion is worth

    return np.asarray(shap.TreeExplainer(model).shap_values(features, check_additivity=False))
