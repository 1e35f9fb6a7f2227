"""Which features a model uses: impurity importances of all, permutation importances of the leading ones."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.pipeline import Pipeline

from nmr_platform.learning.evaluation.calibration import uncalibrated
from nmr_platform.learning.evaluation.scores import score_point
from nmr_platform.learning.models.estimator import Estimator
from nmr_platform.learning.tasks import Task

__all__ = ["impurity_importances", "permutation_importances"]


def impurity_importances(estimator: Estimator, features: pd.DataFrame) -> pd.DataFrame:
    """Importances from the fit itself: impurity for forests, gain for boosting, coefficients for the linear baseline.

    Returns:
        Columns ``feature`` and ``impurity`` (the sum is 1), most important first.
    """
    weights = _weights(estimator, features.shape[1])
    table = pd.DataFrame({"feature": features.columns, "impurity": weights / (weights.sum() or 1.0)})
    return table.sort_values("impurity", ascending=False, ignore_index=True, kind="stable")


def _weights(estimator: Any, n_features: int) -> NDArray[np.float64]:
    """Importance of every feature in arbitrary units, shape (n_features,)."""
    model = uncalibrated(estimator)
    if isinstance(model, Pipeline):
        # Features are standardised, so that coefficients can be compared.
        return np.abs(np.atleast_2d(model[-1].coef_)).sum(axis=0)
    if not isinstance(model, HistGradientBoostingRegressor | HistGradientBoostingClassifier):
        return model.feature_importances_.astype(np.float64)
    # scikit-learn keeps the gain of every split and does not add it up.
    gain = np.zeros(n_features)
    for tree in (tree for trees in model._predictors for tree in trees):
        splits = tree.nodes[tree.nodes["is_leaf"] == 0]
        np.add.at(gain, splits["feature_idx"].astype(np.intp), splits["gain"])
    return gain


def permutation_importances(
    estimator: Estimator,
    features: pd.DataFrame,
    y: NDArray[np.generic],
    task: Task,
    *,
    columns: list[str],
    repeats: int,
    seed: int,
) -> pd.DataFrame:
    """Loss of score when one feature's values are shuffled over the held-out rows.

    Neighbouring features say nearly the same, so that the loss of each alone may be small though their share is not.

    Args:
        estimator: Fitted estimator.
        features: Held-out features, shape (n, n_features).
        y: Held-out targets, shape (n,).
        task: The task, whose metric is used.
        columns: Features to shuffle.
        repeats: Shuffles per feature.
        seed: Seed of the shuffles.

    Returns:
        Columns ``feature``, ``permutation`` (mean loss) and ``permutation_std``.
    """
    x = features.to_numpy(dtype=np.float32)
    reference = score_point(task, y, estimator.predict(features))
    rng = np.random.default_rng(seed)
    stacked, n = np.tile(x, (repeats, 1)), len(x)
    rows = []
    for column in columns:
        place = features.columns.get_loc(column)
        stacked[:, place] = np.concatenate([rng.permutation(x[:, place]) for _ in range(repeats)])
        # One call for all repeats: the cost of a forest's predict is mostly per call.
        predicted = estimator.predict(pd.DataFrame(stacked, columns=features.columns)).reshape(repeats, n)
        losses = [reference - score_point(task, y, each) for each in predicted]
        rows.append({"feature": column, "permutation": np.mean(losses), "permutation_std": np.std(losses)})
        stacked[:, place] = np.tile(x[:, place], repeats)
    return pd.DataFrame(rows)
