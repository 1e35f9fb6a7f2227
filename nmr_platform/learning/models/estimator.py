"""The part of a scikit-learn estimator that this package relies on, and how it is fitted beside others."""

from collections.abc import Callable
from typing import Any, Protocol, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from threadpoolctl import threadpool_limits

__all__ = ["Estimator", "Rows", "Watch", "fit_beside_others", "without_threads"]

Rows = pd.DataFrame | NDArray[Any]
Watch = Callable[[int, NDArray[np.generic]], None]
"""Told how many rounds of a fit are done and what the model would now predict; it may raise to stop the fit."""


class Estimator(Protocol):
    """A regressor or classifier; a classifier takes and gives class names."""

    def fit(self, X: Rows, y: ArrayLike) -> Self:
        """Fit on features, shape (n, n_features), and targets, shape (n,)."""

    def predict(self, X: Rows) -> NDArray[Any]:
        """Predict the target of every row, shape (n,)."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Parameters by name; ``deep`` includes those of parts."""

    def set_params(self, **params: object) -> Self:
        """Change parameters in place."""


def fit_beside_others(estimator: Estimator, x: Rows, y: ArrayLike) -> Estimator:
    """Fit on one thread: other fits have the other cores, and threads that wait for each other lose more than they win.

    Args:
        estimator: Unfitted estimator.
        x: Features, shape (n, n_features).
        y: Targets, shape (n,).
    """
    with threadpool_limits(limits=1):
        return estimator.fit(x, y)


def without_threads(estimator: Estimator) -> Estimator:
    """The same estimator, told to predict without threads.

    Serving one curve is faster so, and a model should not remember the machine that it was fitted on.
    """
    return estimator.set_params(**{name: 1 for name in estimator.get_params() if name.rpartition("__")[2] == "n_jobs"})
