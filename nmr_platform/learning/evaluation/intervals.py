"""Prediction intervals: the conformal quantile of out-of-fold residuals, by MAPIE."""

from typing import Self

import numpy as np
from mapie.regression import SplitConformalRegressor
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin

from nmr_platform.errors import ConfigurationError

__all__ = ["interval_half_width"]


def interval_half_width(residuals: NDArray[np.float64], *, coverage: float) -> float:
    """How far a prediction may lie from the truth, so that new curves are within it with the given probability.

    Cross-conformal inference with the residuals of all folds pooled (Vovk, Ann. Math. Artif. Intell. 74, 9 (2015)):
    one number that a model can carry wherever it goes, where CV+ would need the models of all folds and the training
    curves. It is the k-th smallest of n residuals, k = ceil((n + 1) coverage). The residuals come from models that saw
    a fold less than the one that is kept, and are rather too large than too small: intervals err on the side of
    covering more, the less so the more folds there are.

    Args:
        residuals: Absolute out-of-fold residuals, shape (n,), in the target's unit.
        coverage: Nominal coverage, between 0 and 1.

    Returns:
        Half the width of every interval, in the target's unit.

    Raises:
        ConfigurationError: ``coverage`` is so near to 0 or 1 that n residuals cannot tell.
    """
    n = len(residuals)
    if not 1 / n < coverage < 1 - 1 / n:
        message = (
            f"Argument `coverage` must lie between {1 / n:.4g} and {1 - 1 / n:.4g} with {n} residuals, but is "
            f"{coverage}."
        )
        raise ConfigurationError(message, key="coverage", value=coverage)
    conformal = SplitConformalRegressor(_Zero(), confidence_level=coverage, prefit=True)
    conformal.conformalize(np.zeros((n, 1)), residuals)
    return float(conformal.predict_interval(np.zeros((1, 1)))[1][0, 1, 0])


class _Zero(RegressorMixin, BaseEstimator):
    """Always says 0: what MAPIE takes for the fitted model whose residuals it is given."""

    def __init__(self) -> None:
        self.n_features_in_ = 1

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: ARG002 (MAPIE asks for the method, and calls it never)
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.float64]:
        return np.zeros(len(np.asarray(X)))
