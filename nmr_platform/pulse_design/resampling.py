"""Bootstrap of R2 over curves."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["resampled_r2"]

Array = NDArray[np.float64]


def resampled_r2(true: Array, predicted: Array, seed: int, *, n_resamples: int = 1000) -> Array:
    """R2 on resamples of the curves; equal seeds and sizes resample the same curves, so differences are paired.

    Args:
        true: Shape (n_curves,).
        predicted: Shape (n_curves,).
        seed: Seed of the resamples.
        n_resamples: Number of resamples.

    Returns:
        R2 of each resample, shape (n_resamples,).
    """
    rows = np.random.default_rng(seed).integers(true.size, size=(n_resamples, true.size))
    t, p = true[rows], predicted[rows]
    total = ((t - t.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    return 1 - ((t - p) ** 2).sum(axis=1) / total
