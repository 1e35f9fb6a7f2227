"""Neural posteriors as scikit-learn knows estimators: of one number or several together, and of a class."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.preprocessing import StandardScaler
from sklearn.utils.class_weight import compute_sample_weight
from threadpoolctl import threadpool_limits

from nmr_platform.learning.models.estimator import Table
from nmr_platform.learning.models.posterior.mixture import JointMixture, Mixture
from nmr_platform.learning.models.posterior.network import (
    DENSITIES,
    Plan,
    forward,
    left_out,
    mean_slopes,
    mixture_of,
    n_outputs,
    train,
)

__all__ = ["PosteriorClassifier", "PosteriorRegressor"]

_STEPS, _LARGEST_BATCH, _SMALLEST_BATCH = 16, 64, 8
# Posteriors that are ten times too wide or too narrow are not learnt at all.
_NARROWEST, _WIDEST = 0.1, 10.0
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

    # Numbers whose posterior it is; 0 for a class.
    targets_: int = 0

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
        slopes = mean_slopes(self.layers_, standardised, self.targets_).astype(np.float64)
        shares: NDArray[np.float64] = standardised[:, :, np.newaxis] * slopes * self._unit
        return shares

    @property
    def _unit(self) -> NDArray[np.float64]:
        """What one unit of each output is."""
        return np.ones(1)

    def _fit(self, X: Table, y: NDArray[np.float32], weights: NDArray[np.float32]) -> None:
        rows = np.asarray(X, dtype=np.float32)
        self.scaler_ = StandardScaler().fit(rows.astype(np.float64))
        outputs = n_outputs(self.targets_) if self.targets_ else y.shape[1]
        plan = Plan(
            targets=self.targets_,
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
    """The posterior of numbers: a mixture of normal densities whose parameters are outputs of the networks.

    Attributes:
        targets_: How many numbers, d.
        is_joint_: Whether they were given as columns.
        centre_: Mean of the targets that it was fitted on, shape (d,).
        spread_: Their standard deviation, likewise.
        stretch_: By how much the mean of the members' posteriors is stretched, likewise.
    """

    def fit(self, X: Table, y: ArrayLike) -> Self:
        """Fit on targets near unit size, shape (n,) or (n, d), see `Estimator.fit`."""
        given = np.asarray(y, dtype=np.float64)
        values = given.reshape(len(given), -1)
        self.targets_, self.is_joint_ = values.shape[1], given.ndim > 1
        spread = values.std(axis=0)
        self.centre_, self.spread_ = values.mean(axis=0), np.where(spread > 0.0, spread, 1.0)
        scaled = (values - self.centre_) / self.spread_
        self._fit(X, scaled.astype(np.float32), np.ones(len(values), dtype=np.float32))
        # On one thread, or the last bits would be those of the number of threads.
        with threadpool_limits(limits=1):
            self.stretch_ = self._learnt_stretch(self._outputs(X), scaled)
        return self

    def predict(self, X: Table) -> NDArray[np.float64]:
        """The posterior mean of every row, shape (n,) or (n, d)."""
        return self.posterior(X).mean()

    def posterior(self, X: Table) -> Mixture | JointMixture:
        """The posterior of every row; members have the same say."""
        joint = self._pooled(self._outputs(X)).stretched(self.stretch_).moved(self.spread_, self.centre_)
        return joint if self.is_joint_ else joint.marginal(0)

    def _pooled(self, outputs: NDArray[np.float64]) -> JointMixture:
        """The mean of some members' posteriors, in the unit of their fit, from outputs (members, n, n_outputs)."""
        shares, centres, widths, tilts = (
            np.moveaxis(part, 0, 1).reshape(part.shape[1], len(part) * DENSITIES, *part.shape[3:])
            for part in mixture_of(outputs, self.targets_)
        )
        factors = np.zeros((*centres.shape, self.targets_)) + np.eye(self.targets_)
        factors[:, :, *np.tril_indices(self.targets_, -1)] = tilts
        return JointMixture(np.exp(shares) / len(outputs), centres, factors * np.exp(widths)[..., np.newaxis])

    def _learnt_stretch(self, outputs: NDArray[np.float64], true: NDArray[np.float64]) -> NDArray[np.float64]:
        """By how much posteriors must be stretched for their widths to be right, shape (d,).

        Noise and dropout of the fit leave them too wide, and so does their mean. What each member says of the rows that
        it left out tells how far it must be stretched alone. The mean of all members then errs by less than they do,
        and is wider: by the variance of what they say, each (Krogh and Vedelsby, *NIPS* 7, 231, 1995).

        Args:
            outputs: Of the training rows, shape (members, n, n_outputs).
            true: Their targets in the unit of the fit, shape (n, d).
        """
        member, row = np.nonzero(left_out(len(true), self.members, seed=self.random_state))
        alone = self._pooled(outputs[member, row][np.newaxis])
        said = np.array([self._pooled(own[np.newaxis]).mean() for own in outputs])
        within = np.einsum("ndd->d", alone.covariance()) / len(row)
        between = said.var(axis=0)[row].mean(axis=0)
        factors = np.ones(self.targets_)
        for target in range(self.targets_):

            def score(factor: float, target: int = target) -> float:
                stretched = alone.stretched(np.full(self.targets_, factor)).marginal(target)
                return float(stretched.crps(true[row, target]).mean())

            own = minimize_scalar(score, bounds=(_NARROWEST, _WIDEST), method="bounded").x
            left = max(own**2 * within[target] - between[target], 0.0)
            factors[target] = np.clip(np.sqrt(left / (within[target] + between[target])), _NARROWEST, _WIDEST)
        return factors

    @property
    def _unit(self) -> NDArray[np.float64]:
        return self.spread_


class PosteriorClassifier(ClassifierMixin, _Posterior):  # type: ignore[misc, unused-ignore]
    """The posterior of a class, as if all classes were equally frequent beforehand.

    Attributes:
        classes_: Class names in the order of the columns of ``predict_proba``, shape (n_classes,).
    """

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
