"""Conformal p-values from stored scores."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["conformal_p_values"]


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
