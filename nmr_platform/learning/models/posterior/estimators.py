"""Neural posteriors as scikit-learn knows estimators: of a number, and of a class."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.preprocessing import StandardScaler
from sklearn.utils.class_weight import compute_sample_weight

from nmr_platform.learning.models.estimator import Table
from nmr_platform.learning.models.posterior.mixture import Mixture
from nmr_platform.learning.models.posterior.network import Head, Plan, forward, mean_slopes, mixture_of, train

__all__ = ["PosteriorClassifier", "PosteriorRegressor"]

# Normal densities of each member's posterior of a number.
_DENSITIES = 4
_STEPS, _LARGEST_BATCH, _SMALLEST_BATCH = 16, 64, 8
# Training rows whose integrated gradients are the importances of the fit.
_EXPLAINED = 64


class _Posterior(BaseEstimator):
    """What both have in common: standardised features, and the ensemble.

    Principal components instead of all features do harm: what tells kernels apart is small beside what W and Z change.

    Attributes:
        scaler_: Standardises the features.
        layers_: The ensemble.
        importances_: Mean size of the integrated gradients of every feature, shape (n_features,).
    """

    head: Head

    def __init__(
        self,
        *,
        summary: int = 64,
        width: int = 64,
        depth: int = 1,
        learning_rate: float = 2e-3,
        dropout: float = 0.2,
        noise: float = 0.1,
        weight_decay: float = 0.3,
        members: int = 3,
        epochs: int = 60,
        random_state: int = 0,
    ) -> None:
        self.summary = summary
        self.width = width
        self.depth = depth
        self.learning_rate = learning_rate
        self.dropout = dropout
        self.noise = noise
        self.weight_decay = weight_decay
        self.members = members
        self.epochs = epochs
        self.random_state = random_state

    def contributions(self, X: Table) -> NDArray[np.float64]:
        """Integrated gradients from the mean of all curves to each, shape (n, n_features, n_outputs)."""
        standardised = self._standardised(X)
        slopes = mean_slopes(self.layers_, standardised, self.head).astype(np.float64)
        shares: NDArray[np.float64] = standardised[:, :, np.newaxis] * slopes * self._unit
        return shares

    @property
    def _unit(self) -> float:
        """What one unit of the outputs is."""
        return 1.0

    def _fit(self, X: Table, y: NDArray[np.float32], weights: NDArray[np.float32]) -> None:
        rows = np.asarray(X, dtype=np.float32)
        self.scaler_ = StandardScaler().fit(rows.astype(np.float64))
        outputs = 3 * _DENSITIES if self.head == "number" else y.shape[1]
        plan = Plan(
            head=self.head,
            sizes=(rows.shape[1], self.summary, *[self.width] * self.depth, outputs),
            members=self.members,
            epochs=self.epochs,
            batch=int(np.clip(len(rows) // _STEPS, _SMALLEST_BATCH, _LARGEST_BATCH)),
            learning_rate=self.learning_rate,
            dropout=self.dropout,
            noise=self.noise,
            weight_decay=self.weight_decay,
        )
        self.layers_ = train(self._standardised(rows), y, weights, plan, seed=self.random_state)
        explained = self.contributions(rows[:: -(-len(rows) // _EXPLAINED)])
        self.importances_ = np.abs(explained).mean(axis=0).sum(axis=1)

    def _standardised(self, X: Table) -> NDArray[np.float32]:
        rows: NDArray[np.float32] = self.scaler_.transform(np.asarray(X, dtype=np.float64)).astype(np.float32)
        return rows

    def _outputs(self, X: Table) -> NDArray[np.float64]:
        """Outputs of every member, shape (members, n, n_outputs)."""
        outputs: NDArray[np.float64] = forward(self.layers_, self._standardised(X)).astype(np.float64)
        return outputs


class PosteriorRegressor(RegressorMixin, _Posterior):  # type: ignore[misc, unused-ignore]
    """The posterior of a number: a mixture of normal densities whose parameters are outputs of the networks.

    Attributes:
        centre_: Mean of the targets that it was fitted on.
        spread_: Their standard deviation.
    """

    head: Head = "number"

    def fit(self, X: Table, y: ArrayLike) -> Self:
        """Fit on targets near unit size, see `Estimator.fit`."""
        values = np.asarray(y, dtype=np.float64)
        self.centre_, self.spread_ = float(values.mean()), float(values.std()) or 1.0
        scaled = ((values - self.centre_) / self.spread_).astype(np.float32)[:, np.newaxis]
        self._fit(X, scaled, np.ones(len(values), dtype=np.float32))
        return self

    def predict(self, X: Table) -> NDArray[np.float64]:
        """The posterior mean of every row, shape (n,)."""
        return self.posterior(X).mean()

    def posterior(self, X: Table) -> Mixture:
        """The posterior of every row; members have the same say."""
        shares, centres, widths = (
            np.moveaxis(part, 0, 1).reshape(part.shape[1], -1) for part in mixture_of(self._outputs(X))
        )
        return Mixture(np.exp(shares) / self.members, centres, np.exp(widths)).moved(self.spread_, self.centre_)

    @property
    def _unit(self) -> float:
        return self.spread_


class PosteriorClassifier(ClassifierMixin, _Posterior):  # type: ignore[misc, unused-ignore]
    """The posterior of a class, as if all classes were equally frequent beforehand.

    Attributes:
        classes_: Class names in the order of the columns of ``predict_proba``, shape (n_classes,).
    """

    head: Head = "classes"

    def fit(self, X: Table, y: ArrayLike) -> Self:
        """Fit on class names, see `Estimator.fit`."""
        self.classes_, codes = np.unique(np.asarray(y), return_inverse=True)
        weights = compute_sample_weight("balanced", codes).astype(np.float32)
        self._fit(X, np.eye(len(self.classes_), dtype=np.float32)[codes], weights)
        return self

    def predict(self, X: Table) -> NDArray[Any]:
        """The most probable class name of every row, shape (n,)."""
        names: NDArray[Any] = self.classes_[self.predict_proba(X).argmax(axis=1)]
        return names

    def predict_proba(self, X: Table) -> NDArray[np.float64]:
        """The probability of every class, shape (n, n_classes): the mean over the members."""
        outputs = self._outputs(X)
        likely = np.exp(outputs - outputs.max(axis=-1, keepdims=True))
        probabilities: NDArray[np.float64] = (likely / likely.sum(axis=-1, keepdims=True)).mean(axis=0)
        return probabilities
