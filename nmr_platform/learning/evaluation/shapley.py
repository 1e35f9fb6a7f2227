"""SHAP values: how far each feature moves a prediction from the mean prediction, averaged over curves."""

import warnings
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from xgboost import DMatrix, XGBModel

from nmr_platform.learning.evaluation.calibration import uncalibrated
from nmr_platform.learning.models.estimator import Estimator

__all__ = ["shap_importances"]


def shap_importances(estimator: Estimator, features: pd.DataFrame, *, rows: int, seed: int) -> pd.DataFrame:
    """Mean absolute SHAP value of every feature (Lundberg et al., Nat. Mach. Intell. 2, 56 (2020)).

    Of a classifier the values of all classes are added up; they explain the scores before calibration, in the units of
    the model (probability for forests, log-odds for boosting and the linear baseline).

    Args:
        estimator: Fitted estimator of one of the families.
        features: Features to explain, shape (n, n_features).
        rows: Curves that are explained, drawn at random: the cost grows with the number and size of the trees.
        seed: Seed of the draw.

    Returns:
        Columns ``feature`` and ``shap``.
    """
    chosen = features.sample(min(rows, len(features)), random_state=seed)
    values = _values(uncalibrated(estimator), chosen)
    # Axes are (curve, feature) or (curve, feature, class).
    weights = np.abs(values).mean(axis=0).reshape(features.shape[1], -1).sum(axis=1)
    return pd.DataFrame({"feature": features.columns, "shap": weights})


def _values(model: Any, features: pd.DataFrame) -> NDArray[np.float64]:
    if isinstance(model, XGBModel):
        contributions = model.get_booster().predict(DMatrix(features), pred_contribs=True)
        # The last column is the mean prediction; classes come before features.
        return np.asarray(
            np.moveaxis(contributions[..., :-1], 1, -1) if contributions.ndim == 3 else contributions[:, :-1]
        )
    if isinstance(model, Pipeline):
        # Exact for a linear model: the mean of a standardised feature is zero.
        standardised = np.asarray(model[:-1].transform(features))
        return standardised[:, :, np.newaxis] * np.atleast_2d(model[-1].coef_).T[np.newaxis]
    with warnings.catch_warnings():
        # shap makes its colours in a way that Matplotlib is going to drop.
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        import shap  # noqa: PLC0415 its import takes seconds, which only a champion is worth

    return np.asarray(shap.TreeExplainer(model).shap_values(features, check_additivity=False))
