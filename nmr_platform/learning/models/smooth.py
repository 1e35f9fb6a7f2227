"""Smooth functions of the features: ridge and logistic regression on Gaussian bumps around training curves."""

from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from nmr_platform.learning.models.estimator import Table
from nmr_platform.learning.models.family import Family
from nmr_platform.schema import Count

if TYPE_CHECKING:
    import optuna
    import pandas as pd

__all__ = ["Bumps", "Smooth"]

_ITERATIONS = 5000
# Points of the straight path that an explanation integrates along (midpoint rule).
_PATH = 8


class Bumps(Nystroem):  # type: ignore[misc, unused-ignore]
    """Nystroem's map for a Gaussian kernel whose width is counted in root mean square distances of the features.

    In double precision: the smallest eigenvalues of the kernel drown in single.

    Args:
        width: Range of the kernel in units of sqrt(n_features), dimensionless for standardised features.
        n_components: Training rows that bumps are put around; all of them where there are fewer.
        random_state: Of their choice.
    """

    def __init__(self, width: float = 1.0, *, n_components: int = 600, random_state: int = 0) -> None:
        super().__init__(kernel="rbf", n_components=n_components, random_state=random_state)
        self.width = width

    def fit(self, X: Table, y: ArrayLike | None = None) -> Self:  # noqa: ARG002
        """Choose the centres, see `sklearn.kernel_approximation.Nystroem`."""
        rows = np.asarray(X, dtype=np.float64)
        self.gamma = 1.0 / (self.width**2 * rows.shape[1])
        asked = self.n_components
        self.n_components: int = min(asked, len(rows))
        super().fit(rows)
        # A clone is fitted with what was asked for, on other rows.
        self.n_components = asked
        return self

    def transform(self, X: Table) -> NDArray[np.float64]:
        """The map of every row, shape (n, n_components)."""
        mapped: NDArray[np.float64] = super().transform(np.asarray(X, dtype=np.float64))
        return mapped


class Smooth(Family):
    """Kernel ridge regression and kernel logistic regression, by Nystroem's approximation.

    What depends smoothly on many features at once, as couplings do on the echoes of several sequences, is learnt from
    fewer curves than trees need (Williams and Seeger, *NIPS* 13, 682, 2001, for the approximation).

    Attributes:
        centres: Training curves that bumps are put around.
    """

    kind: Literal["smooth"] = "smooth"
    centres: Count = 600

    trusted_types: ClassVar[tuple[str, ...]] = (f"{Bumps.__module__}.{Bumps.__name__}",)

    def search_space(self, trial: "optuna.Trial") -> dict[str, Any]:
        """Suggest parameters of one trial."""
        return {
            "width": trial.suggest_float("width", 0.5, 4.0, log=True),
            "penalty": trial.suggest_float("penalty", 1e-3, 1.0, log=True),
        }

    def regressor(self, params: dict[str, Any], *, seed: int, n_jobs: int) -> Any:  # noqa: ARG002
        """An unfitted pipeline that ends with ridge regression, see `Family.regressor`."""
        return self._pipeline(params, Ridge(alpha=params["penalty"], solver="svd"), seed)

    def classifier(self, params: dict[str, Any], *, seed: int, n_jobs: int) -> Any:  # noqa: ARG002
        """An unfitted pipeline that ends with logistic regression, see `Family.classifier`."""
        last = LogisticRegression(
            C=1.0 / params["penalty"], class_weight="balanced", max_iter=_ITERATIONS, random_state=seed
        )
        return self._pipeline(params, last, seed)

    def weights(self, model: Any, n_features: int) -> NDArray[np.float64]:
        """Mean size of the contributions to the centres, see `Family.weights`."""
        centres = model[1].components_
        values = _along_paths(model, centres)
        return np.abs(values).mean(axis=0).reshape(n_features, -1).sum(axis=1)

    def contributions(self, model: Any, features: "pd.DataFrame") -> NDArray[np.floating]:
        """Values of Aumann and Shapley, see `Family.contributions`.

        The gradient is integrated along the straight path from the mean of all curves to each curve; the values of a
        curve add up to what the model says of it, less what it says of the mean.
        """
        return _along_paths(model, np.asarray(model[0].transform(features), dtype=np.float64))

    def _pipeline(self, params: dict[str, Any], last: Any, seed: int) -> Any:
        bumps = Bumps(params["width"], n_components=self.centres, random_state=seed)
        return make_pipeline(StandardScaler(), bumps, last)


def _along_paths(model: Any, rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shares of every feature in f(row) - f(0), shape (n, n_features, n_outputs), for standardised rows.

    f(z) = sum_i a_i exp(-gamma |z - c_i|^2), so its gradient is sum_i 2 gamma a_i (c_i - z) exp(-gamma |z - c_i|^2).
    """
    bumps, last = model[1], model[-1]
    centres, gamma = bumps.components_, bumps.gamma
    heights = np.atleast_2d(last.coef_) @ bumps.normalization_
    squares = (centres**2).sum(axis=1)
    shares = np.zeros((*rows.shape, len(heights)))
    for step in range(_PATH):
        at = (step + 0.5) / _PATH * rows
        distances = (at**2).sum(axis=1)[:, np.newaxis] + squares - 2 * at @ centres.T
        weighed = 2 * gamma * heights[:, np.newaxis] * np.exp(-gamma * distances)
        slopes = weighed @ centres - weighed.sum(axis=2)[..., np.newaxis] * at
        shares += np.moveaxis(slopes * rows, 0, -1) / _PATH
    return shares
