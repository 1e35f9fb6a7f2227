"""Conformal inference from stored numbers: intervals from residuals, p-values from scores."""

from math import ceil

import numpy as np
from numpy.typing import NDArray

from nmr_platform.errors import ConfigurationError

__all__ = ["conformal_p_values", "residual_quantile"]


def residual_quantile(residuals: NDArray[np.float64], coverage: float) -> float:
    """Half the width of intervals around predictions that hold the truth of a new curve with probability ``coverage``.

    The k-th smallest of n absolute residuals, k = ceil((n + 1) coverage): Lei et al., J. Am. Stat. Assoc. 113, 1094
    (2018), Algorithm 2. Residuals of a cross-validation stand for those of a split, each from a fit that has seen
    neither its row nor its disorder.

    Args:
        residuals: Absolute residuals, shape (n,), in the target's unit.
        coverage: Nominal coverage, between 0 and 1.

    Returns:
        Half the width, in the target's unit.

    Raises:
        ConfigurationError: ``coverage`` is not between 0 and 1, or so near to 1 that n residuals cannot tell.
    """
    n = len(residuals)
    if not 0.0 < coverage < 1.0:
        message = f"Argument `coverage` must be between 0 and 1, but is {coverage}."
        raise ConfigurationError(message, key="coverage", value=coverage)
    # Less a hair, for 0.9 * 10 is 9.000000000000002 in other factors.
    rank = ceil((n + 1) * coverage - 1e-9)
    if rank > n:
        most = n / (n + 1)
        message = f"Argument `coverage` must be at most {most:.4g} with {n} residuals, but is {coverage}."
        raise ConfigurationError(message, key="coverage", value=coverage)
    return float(np.partition(residuals, rank - 1)[rank - 1])


def conformal_p_values(scores: NDArray[np.float64], calibration: NDArray[np.float64]) -> NDArray[np.float64]:
    """How likely a curve like those of the training set is to score as high.

    p = (1 + number of calibration scores that are as high) / (n + 1), which is uniform or larger for a curve that is
    exchangeable with them: Bates et al., Ann. Stat. 51, 149 (2023), Eq. (2).

    Args:
        scores: Strangeness of new curves, shape (m,).
        calibration: Strangeness of training curves, each scored without having been fitted, shape (n,).

    Returns:
        Shape (m,), between 1 / (n + 1) and 1.
    """
    as_high = len(calibration) - np.searchsorted(np.sort(calibration), scores, side="left")
    return np.asarray((1.0 + as_high) / (len(calibration) + 1.0), dtype=np.float64)
