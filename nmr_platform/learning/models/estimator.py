"""The part of a scikit-learn estimator that this package relies on, targets in a unit of their own, and threads."""

from collections.abc import Callable
from typing import Any, Protocol, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from threadpoolctl import threadpool_limits

__all__ = ["Estimator", "ScaledTarget", "Table", "Watch", "fit_beside_others", "without_threads"]

Table = pd.DataFrame | NDArray[Any]
Watch = Callable[[int, NDArray[np.generic]], None]
"""Told how many rounds of a fit are done and what the model would now predict; it may raise to stop the fit."""

# Spreads that the mean may lie from zero before it is taken out; a power of two as well.
_FAR = 1024.0


class Estimator(Protocol):
    """A regressor or classifier; a classifier takes and gives class names."""

    def fit(self, X: Table, y: ArrayLike) -> Self:
        """Fit on features, shape (n, n_features), and targets, shape (n,).

        Args:
            X: Features, shape (n, n_features), each in a unit of its own.
            y: Targets, shape (n,): numbers in any unit, or class names; those of a joint task, shape (n, d).

        Returns:
            The estimator itself.
        """

    def predict(self, X: Table) -> NDArray[Any]:
        """Predict the target of every row, shape (n,)."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Parameters by name; ``deep`` includes those of parts."""

    def set_params(self, **params: object) -> Self:
        """Change parameters in place."""


class ScaledTarget(RegressorMixin, BaseEstimator):
    """A regressor that learns its target in a unit near the target's own spread.

    Libraries have absolute thresholds: XGBoost drops splits of a gain below 1e-6, trees of scikit-learn stop at a
    variance of 2e-16, and single precision loses a spread that is small beside the mean. The unit is a power of two,
    which changes no digit of a target: a model that did not mind the size stays the same to the bit.

    Attributes:
        model: The regressor that it wraps; it is fitted in place, as the steps of a pipeline are.
        scale_: The unit of a fitted model, in the unit of the target; of several targets that of each, shape (d,).
        offset_: What is subtracted first, likewise; 0 unless the mean is far larger than the spread.
    """

    def __init__(self, model: Any) -> None:
        self.model = model

    def fit(self, X: Table, y: ArrayLike, **options: Any) -> Self:
        """Fit on targets in any unit, see `Estimator.fit`; ``options`` are those of the fit of the wrapped model."""
        values = np.asarray(y, dtype=np.float64)
        units: Any = _unit_of(values) if values.ndim == 1 else np.transpose([*map(_unit_of, values.T)])
        self.scale_, self.offset_ = units
        self.model.fit(X, (values - self.offset_) / self.scale_, **options)
        return self

    def predict(self, X: Table) -> NDArray[np.float64]:
        """Predict the target of every row, shape (n,) or (n, d), in the unit of the target."""
        return self.restore(self.model.predict(X))

    def restore(self, predicted: NDArray[Any]) -> NDArray[np.float64]:
        """What the wrapped model says, shape (n,) or (n, d), in the unit of the target."""
        restored: NDArray[np.float64] = self.offset_ + self.scale_ * predicted.astype(np.float64)
        return restored

    def posterior(self, X: Table) -> Any:
        """The posterior of every row, in the unit of the target, where the wrapped model has posteriors."""
        return self.model.posterior(X).moved(self.scale_, self.offset_)


def _unit_of(values: NDArray[np.float64]) -> tuple[float, float]:
    """Unit and offset of one target."""
    spread = float(values.std())
    scale = float(2.0 ** np.floor(np.log2(spread))) if spread > 0.0 else 1.0
    step = _FAR * scale
    return scale, step * float(np.round(values.mean() / step))


def fit_beside_others(estimator: Estimator, x: Table, y: ArrayLike) -> Estimator:
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

    Serving one curve is faster so, forests otherwise add up their trees in any order, and a model should not remember
    the machine that it was fitted on.
    """
    return estimator.set_params(**{name: 1 for name in estimator.get_params() if name.rpartition("__")[2] == "n_jobs"})
