"""Prediction intervals by cross-conformal inference (MAPIE), on the folds that tuning used."""

from collections.abc import Sequence

import joblib
import numpy as np
import pandas as pd
from mapie.regression import CrossConformalRegressor
from numpy.typing import NDArray
from sklearn.model_selection import PredefinedSplit

from nmr_platform.learning.estimator import Estimator
from nmr_platform.learning.folds import Fold

__all__ = ["prediction_intervals"]

# The plus method holds a matrix of test rows by training rows: 256 x 12000 takes 25 MB.
_BATCH = 256


def prediction_intervals(
    estimator: Estimator,
    training: tuple[pd.DataFrame, NDArray[np.float64]],
    folds: Sequence[Fold],
    x_test: pd.DataFrame,
    *,
    coverage: float,
    n_jobs: int = 1,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Intervals that hold the truth of a new curve with the given probability.

    Cross-conformal (CV+, Barber et al., Ann. Stat. 49, 486 (2021)): the residuals come from fits that have not seen
    the row's disorder group, since the folds keep groups together.

    Args:
        estimator: Unfitted regressor with its parameters.
        training: Features, shape (n, n_features), and targets, shape (n,), of the training part.
        folds: Folds of the training part.
        x_test: Features of the held-out part, shape (m, n_features).
        coverage: Nominal coverage, between 0 and 1.
        n_jobs: Threads.

    Returns:
        Lower and upper ends, each of shape (m,), in the target's unit.
    """
    x, y = training
    fold_of_row = np.empty(len(y), dtype=np.intp)
    for number, fold in enumerate(folds):
        fold_of_row[fold.score] = number
    conformal = CrossConformalRegressor(
        estimator, confidence_level=coverage, method="plus", cv=PredefinedSplit(fold_of_row), n_jobs=n_jobs
    )
    with joblib.parallel_config(backend="threading"):
        conformal.fit_conformalize(x.to_numpy(dtype=np.float32), y)
    rows = x_test.to_numpy(dtype=np.float32)
    ends = [
        conformal.predict_interval(rows[start : start + _BATCH])[1][:, :, 0] for start in range(0, len(rows), _BATCH)
    ]
    lower, upper = np.concatenate(ends).astype(np.float64).T
    return lower, upper
