"""The part of a scikit-learn estimator that this package relies on."""

from typing import Any, Protocol, Self

import pandas as pd
from numpy.typing import ArrayLike, NDArray

__all__ = ["Estimator", "Rows"]

Rows = pd.DataFrame | NDArray[Any]


class Estimator(Protocol):
    """A regressor or classifier; a classifier takes and gives class names."""

    @property
    def feature_importances_(self) -> NDArray[Any]:
        """Importances from the fit, shape (n_features,)."""

    def fit(self, X: Rows, y: ArrayLike) -> Self:
        """Fit on features, shape (n, n_features), and targets, shape (n,)."""

    def predict(self, X: Rows) -> NDArray[Any]:
        """Predict the target of every row, shape (n,)."""

    def set_params(self, **params: object) -> Self:
        """Change parameters in place."""
