"""Posteriors in closed form: mixtures of normal densities of one number, and of several together."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

__all__ = ["JointMixture", "Mixture"]

# A normal density has nothing further from its centre, in widths; and how often that range is halved.
_FAR, _HALVINGS = 40.0, 60


@dataclass(frozen=True)
class Mixture:
    """The posterior of every curve, each a mixture of k normal densities.

    Attributes:
        shares: Weights of the densities, shape (n, k); each row adds up to 1.
        centres: Their means, shape (n, k), in the unit of the target.
        widths: Their standard deviations, shape (n, k), likewise.

    Example:
        >>> one = Mixture(np.array([[0.5, 0.5]]), np.array([[-1.0, 1.0]]), np.array([[0.1, 0.1]]))
        >>> float(one.mean()[0]), float(one.cdf(np.array([0.0]))[0])
        (0.0, 0.5)
    """

    shares: NDArray[np.float64]
    centres: NDArray[np.float64]
    widths: NDArray[np.float64]

    def mean(self) -> NDArray[np.float64]:
        """The posterior mean of every curve, shape (n,)."""
        mean: NDArray[np.float64] = (self.shares * self.centres).sum(axis=1)
        return mean

    def quantile(self, level: float) -> NDArray[np.float64]:
        """The value that is larger than the true one with probability ``level``, of every curve, shape (n,)."""
        low, high = (
            self.centres.min(axis=1) - _FAR * self.widths.max(axis=1),
            self.centres.max(axis=1) + _FAR * self.widths.max(axis=1),
        )
        for _ in range(_HALVINGS):
            middle = 0.5 * (low + high)
            below = self.cdf(middle) < level
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return 0.5 * (low + high)

    def cdf(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Posterior probability of a smaller value, shape (n,).

        Args:
            values: One for every curve, shape (n,), in the unit of the target.
        """
        below: NDArray[np.float64] = (self.shares * ndtr((values[:, np.newaxis] - self.centres) / self.widths)).sum(
            axis=1
        )
        return below

    def crps(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Continuous ranked probability score, in closed form (Grimit et al., Q. J. R. Meteorol. Soc. 132, 2925, 2006).

        Args:
            values: The true value of every curve, shape (n,), in the unit of the target.

        Returns:
            Shape (n,), in the same unit; the absolute error of a posterior that is a single value, smaller is better.
        """
        to_truth = _mean_size(values[:, np.newaxis] - self.centres, self.widths)
        apart = self.centres[:, :, np.newaxis] - self.centres[:, np.newaxis]
        between = _mean_size(apart, np.hypot(self.widths[:, :, np.newaxis], self.widths[:, np.newaxis]))
        spread = np.einsum("ni,nj,nij->n", self.shares, self.shares, between)
        score: NDArray[np.float64] = (self.shares * to_truth).sum(axis=1) - 0.5 * spread
        return score

    def moved(self, scale: float, offset: float) -> "Mixture":
        """The posterior of ``offset + scale * value``.

        Args:
            scale: Positive, in any unit.
            offset: In the unit of the result.
        """
        return Mixture(self.shares, offset + scale * self.centres, scale * self.widths)


@dataclass(frozen=True)
class JointMixture:
    """The posterior of d numbers of every curve together, each a mixture of k normal densities.

    Attributes:
        shares: Weights of the densities, shape (n, k); each row adds up to 1.
        centres: Their means, shape (n, k, d), in the units of the targets.
        factors: Lower triangular A of their covariances A A', shape (n, k, d, d), likewise.

    Example:
        >>> tilted = np.array([[[[1.0, 0.0], [0.6, 0.8]]]])
        >>> one = JointMixture(np.ones((1, 1)), np.zeros((1, 1, 2)), tilted)
        >>> float(one.correlation()[0, 0, 1].round(3))
        0.6
    """

    shares: NDArray[np.float64]
    centres: NDArray[np.float64]
    factors: NDArray[np.float64]

    def marginal(self, target: int) -> Mixture:
        """The posterior of one of the numbers, whatever the others are."""
        widths = np.sqrt((self.factors[:, :, target] ** 2).sum(axis=-1))
        return Mixture(self.shares, self.centres[:, :, target], widths)

    def mean(self) -> NDArray[np.float64]:
        """The posterior means of every curve, shape (n, d)."""
        mean: NDArray[np.float64] = np.einsum("nk,nkd->nd", self.shares, self.centres)
        return mean

    def rows(self, chosen: NDArray[np.intp]) -> "JointMixture":
        """Those of some curves, by their numbers, shape (m,)."""
        return JointMixture(self.shares[chosen], self.centres[chosen], self.factors[chosen])

    def interval(self, coverage: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Ends, both of shape (n, d), of the central intervals that hold each number with the given probability."""
        marginals = [self.marginal(k) for k in range(self.centres.shape[-1])]
        lower, upper = (
            np.column_stack([each.quantile(level) for each in marginals])
            for level in (0.5 - 0.5 * coverage, 0.5 + 0.5 * coverage)
        )
        return lower, upper

    def covariance(self) -> NDArray[np.float64]:
        """The covariance of every curve's numbers, shape (n, d, d)."""
        apart = self.centres - self.mean()[:, np.newaxis]
        within: NDArray[np.float64] = np.einsum("nk,nkia,nkja->nij", self.shares, self.factors, self.factors)
        return within + np.einsum("nk,nki,nkj->nij", self.shares, apart, apart)

    def correlation(self) -> NDArray[np.float64]:
        """How an error of one number goes with that of another, shape (n, d, d), between -1 and 1."""
        covariance = self.covariance()
        spread = np.sqrt(np.einsum("nii->ni", covariance))
        correlation: NDArray[np.float64] = covariance / (spread[:, :, np.newaxis] * spread[:, np.newaxis])
        return correlation

    def draws(self, count: int, *, seed: int) -> NDArray[np.float64]:
        """Draws from every posterior, shape (n, count, d), in the units of the targets."""
        rng, (n, k, d) = np.random.default_rng(seed), self.centres.shape
        ends = np.cumsum(self.shares, axis=1)[:, np.newaxis]
        which = np.minimum((rng.random((n, count, 1)) > ends).sum(axis=-1), k - 1)
        rows = np.arange(n)[:, np.newaxis]
        steps = np.einsum("ncij,ncj->nci", self.factors[rows, which], rng.standard_normal((n, count, d)))
        drawn: NDArray[np.float64] = self.centres[rows, which] + steps
        return drawn

    def moved(self, scale: NDArray[np.float64], offset: NDArray[np.float64]) -> "JointMixture":
        """The posterior of ``offset + scale * values``.

        Args:
            scale: Of every number, positive, shape (d,), in any units.
            offset: In the units of the result, shape (d,), or of every curve, (n, 1, d).
        """
        return JointMixture(self.shares, offset + scale * self.centres, scale[:, np.newaxis] * self.factors)

    def stretched(self, factors: NDArray[np.float64]) -> "JointMixture":
        """The posterior about the same means, but wider by a factor for each of the numbers, shape (d,)."""
        return self.moved(factors, (1.0 - factors) * self.mean()[:, np.newaxis])


def _mean_size(centre: NDArray[np.float64], width: NDArray[np.float64]) -> Any:
    """The mean of |v| for v normal."""
    z = centre / width
    return 2.0 * width * np.exp(-0.5 * z**2) / np.sqrt(2.0 * np.pi) + centre * (2.0 * ndtr(z) - 1.0)
