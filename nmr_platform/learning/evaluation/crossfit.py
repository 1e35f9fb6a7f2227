"""Predictions for training curves by models that have not seen them."""

from collections.abc import Callable, Sequence

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

from nmr_platform.learning.models.estimator import Estimator, fit_beside_others
from nmr_platform.learning.tuning.folds import Fold

__all__ = ["out_of_fold"]


def out_of_fold(
    build: Callable[[], Estimator],
    x: NDArray[np.float32],
    y: NDArray[np.generic],
    folds: Sequence[Fold],
    *,
    n_jobs: int = 1,
) -> NDArray[np.generic]:
    """Predict every row by the model of the fold that leaves it out.

    The folds keep disorder groups together, so that no row is predicted by a model that has seen its disorder.

    Args:
        build: Makes an unfitted estimator.
        x: Features, shape (n, n_features).
        y: Targets, shape (n,).
        folds: Folds that score every row once.
        n_jobs: Folds fitted at a time; -1 for one per core.

    Returns:
        Predictions, shape (n,), in the unit of ``y``.
    """

    def predict(fold: Fold) -> NDArray[np.generic]:
        return fit_beside_others(build(), x[fold.fit], y[fold.fit]).predict(x[fold.score])

    parts = Parallel(n_jobs=n_jobs, prefer="threads")(delayed(predict)(fold) for fold in folds)
    predicted = np.empty(len(y), dtype=parts[0].dtype)
    for fold, part in zip(folds, parts, strict=True):
        predicted[fold.score] = part
    return predicted
