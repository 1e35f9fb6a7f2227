"""Posteriors of one number in closed form: mixtures of normal densities."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

__all__ = ["Mixture"]


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


def _mean_size(centre: NDArray[np.float64], width: NDArray[np.float64]) -> Any:
    """The mean of |v| for v normal."""
    z = centre / width
    return 2.0 * width * np.exp(-0.5 * z**2) / np.sqrt(2.0 * np.pi) + centre * (2.0 * ndtr(z) - 1.0)
