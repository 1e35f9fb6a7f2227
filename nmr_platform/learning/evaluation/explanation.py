"""Which features a model uses: importances from the fit, by shuffling, and as SHAP values."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nmr_platform.learning.evaluation.calibration import uncalibrated
from nmr_platform.learning.models import Estimator, Family, ScaledTarget
from nmr_platform.learning.tasks import Task

__all__ = ["impurity_importances", "inner_model", "permutation_importances", "shap_importances"]


def impurity_importances(family: Family, estimator: Estimator, features: pd.DataFrame) -> pd.DataFrame:
    """Importances from the fit itself: impurity for forests, gain for boosting, coefficients for the linear baseline.

    Args:
        family: Whose model it is.
        estimator: Fitted estimator.
        features: What it was fitted on, or other rows of it, shape (n, n_features).

    Returns:
        Columns ``feature`` and ``impurity`` (the sum is 1), most important first.
    """
    weights = family.weights(inner_model(estimator), features.shape[1])
    table = pd.DataFrame({"feature": features.columns, "impurity": weights / (weights.sum() or 1.0)})
    return table.sort_values("impurity", ascending=False, ignore_index=True, kind="stable")


def shap_importances(
    family: Family, estimator: Estimator, features: pd.DataFrame, *, rows: int, seed: int
) -> pd.DataFrame:
    """Mean absolute SHAP value of every feature: how far it moves a prediction from the mean prediction.

    Of a classifier the values of all classes are added up; they explain the scores before calibration, in the units of
    the model (probability for forests, log-odds for boosting and the linear baseline); of a regression they are in the
    unit of the target.

    Args:
        family: Whose model it is.
        estimator: Fitted estimator.
        features: Features to explain, shape (n, n_features).
        rows: Curves that are explained, drawn at random: the cost grows with the number and size of the trees.
        seed: Seed of the draw.

    Returns:
        Columns ``feature`` and ``shap``.
    """
    chosen = features.sample(min(rows, len(features)), random_state=seed)
    values = family.contributions(inner_model(estimator), chosen)
    # Of several targets, each in a unit of its own, the values are added up in those of the fit.
    if isinstance(estimator, ScaledTarget) and np.ndim(estimator.scale_) == 0:
        values = estimator.scale_ * values
    # Axes are (curve, feature) or (curve, feature, class).
    weights = np.abs(values).mean(axis=0).reshape(features.shape[1], -1).sum(axis=1)
    return pd.DataFrame({"feature": features.columns, "shap": weights})


def inner_model(estimator: Estimator) -> Any:
    """The family's own model inside what calibration and scaling put around it."""
    model = uncalibrated(estimator)
    return model.model if isinstance(model, ScaledTarget) else model


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
        y: Held-out targets, shape (n,) or (n, d).
        task: The task, whose metric is used.
        columns: Features to shuffle.
        repeats: Shuffles per feature.
        seed: Seed of the shuffles.

    Returns:
        Columns ``feature``, ``permutation`` (mean loss) and ``permutation_std``.
    """
    x = features.to_numpy(dtype=np.float32)
    reference = task.score(y, estimator.predict(features))
    rng = np.random.default_rng(seed)
    stacked, n = np.tile(x, (repeats, 1)), len(x)
    rows = []
    for column in columns:
        place = features.columns.get_loc(column)
        stacked[:, place] = np.concatenate([rng.permutation(x[:, place]) for _ in range(repeats)])
        # One call for all repeats: the cost of a forest's predict is mostly per call.
        predicted = estimator.predict(pd.DataFrame(stacked, columns=features.columns)).reshape(repeats, n, *y.shape[1:])
        losses = [reference - task.score(y, each) for each in predicted]
        rows.append({"feature": column, "permutation": np.mean(losses), "permutation_std": np.std(losses)})
        stacked[:, place] = np.tile(x[:, place], repeats)
    return pd.DataFrame(rows)
