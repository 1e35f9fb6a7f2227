"""The noise of a measurement: the receiver's, and that of not knowing the disorder."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.covariance import ledoit_wolf

from nmr_platform.datasets import Curve

__all__ = ["noise_covariance", "redrawn"]

Array = NDArray[np.float64]

# Keeps the seeds of other draws apart from the streams that the curve itself uses.
_REDRAWN = 1000


def redrawn(curve: Curve, number: int) -> Curve:
    """The same parameters with other disorder; number 0 is the curve itself."""
    if number == 0:
        return curve
    seed = curve.disorder_seed
    other = np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, _REDRAWN, number))
    return curve._replace(disorder_seed=other, disorder=f"{curve.disorder}/{number}")


def noise_covariance(groups: Sequence[Array], receiver: float) -> Array:
    """Covariance of the numbers that are measured, for known parameters.

    Receiver noise is white; what the disorder adds is estimated from its draws and shrunk towards a multiple of the
    identity, as far as Ledoit and Wolf (*J. Multivariate Anal.* 88, 365, 2004) find best for so few draws.

    Args:
        groups: For each set of parameters, its numbers under several draws of the disorder, shape (n_draws, n).
        receiver: Standard deviation of the receiver noise of each number.

    Returns:
        Shape (n, n).
    """
    scale = [np.sqrt(len(group) / (len(group) - 1)) for group in groups]
    residuals = np.concatenate([(g - g.mean(axis=0)) * s for g, s in zip(groups, scale, strict=True)])
    covariance, _ = ledoit_wolf(residuals, assume_centered=True)
    total: Array = covariance + receiver**2 * np.eye(residuals.shape[1])
    return total
