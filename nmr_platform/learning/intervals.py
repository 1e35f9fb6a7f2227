"""Prediction intervals: the conformal quantile of out-of-fold residuals, by MAPIE."""

from typing import Self

import numpy as np
from mapie.regression import SplitConformalRegressor
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin

__all__ = ["interval_half_width"]


def interval_half_width(predicted: ArrayLike, true: ArrayLike, *, coverage: float) -> float:
    """How far a prediction may lie from the truth, so that new curves are within it with the given probability.

    Cross-conformal inference with the residuals of all folds pooled (Vovk, Ann. Math. Artif. Intell. 74, 9 (2015)):
    one number that a model can carry wherever it goes, where CV+ would need the models of all folds and the training
    curves. The residuals come from models that saw a fold less than the one that is kept, and are rather too large
    than too small: intervals err on the side of covering more.

    Args:
        predicted: Out-of-fold predictions, shape (n,).
        true: What they should have been, shape (n,).
        coverage: Nominal coverage, between 0 and 1.

    Returns:
        Half the width of every interval, in the target's unit.
    """
    guess = np.asarray(predicted, dtype=np.float64)[:, np.newaxis]
    conformal = SplitConformalRegressor(_Given(), confidence_level=coverage, prefit=True)
    conformal.conformalize(guess, np.asarray(true, dtype=np.float64))
    return float(conformal.predict_interval(np.zeros((1, 1)))[1][0, 1, 0])


class _Given(RegressorMixin, BaseEstimator):
    """Returns the predictions that it is handed: what MAPIE takes for a fitted model."""

    def __init__(self) -> None:
        self.n_features_in_ = 1

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: ARG002 (MAPIE asks for the method, and calls it never)
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.float64]:
        return np.asarray(X, dtype=np.float64)[:, 0]
