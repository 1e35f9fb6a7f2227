"""Probabilities that mean what they say: sigmoid calibration, cross-fitted inside the training part."""

from collections.abc import Sequence
from typing import Any

import joblib
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binomtest
from sklearn.calibration import CalibratedClassifierCV

from nmr_platform.learning.models.estimator import Estimator
from nmr_platform.learning.tuning.folds import Fold

__all__ = ["fit_calibrated", "reliability_table", "uncalibrated"]

_BINS = 8


def fit_calibrated(
    estimator: Estimator, x: pd.DataFrame, y: NDArray[np.generic], folds: Sequence[Fold], *, n_jobs: int = 1
) -> Estimator:
    """Fit a classifier on all rows, with probabilities calibrated on its out-of-fold scores.

    Forests shrink probabilities towards the middle, boosting pushes them outwards, and balanced class weights shift
    them away from the frequencies: a sigmoid for every class (Platt scaling) undoes all three. Isotonic regression is
    freer but needs some thousand curves, and says 0 or 1 for curves beyond those it saw, which no later evidence could
    outweigh. The folds are those of tuning: neither the held-out part nor a curve's own disorder has a say.

    Args:
        estimator: Unfitted classifier.
        x: Features, shape (n, n_features).
        y: Class names, shape (n,).
        folds: Folds of these rows.
        n_jobs: Folds fitted at a time; -1 for one per core.
    """
    splits = [(fold.fit, fold.score) for fold in folds]
    made = CalibratedClassifierCV(estimator, cv=splits, method="sigmoid", ensemble=False, n_jobs=n_jobs)
    # On threads the folds share the rows, where processes would get copies.
    with joblib.parallel_config(backend="threading"):
        fitted: Estimator = made.fit(x, y)
    return fitted


def uncalibrated(estimator: Any) -> Any:
    """The fitted model inside a calibrated one; any other model as it is."""
    return (
        estimator.calibrated_classifiers_[0].estimator if isinstance(estimator, CalibratedClassifierCV) else estimator
    )


def reliability_table(
    true: NDArray[np.generic], probabilities: NDArray[np.float64], class_names: Sequence[str], *, confidence: float
) -> pd.DataFrame:
    """How often a class is the true one where it was given some probability.

    Args:
        true: Class of every row, shape (n,).
        probabilities: Shape (n, n_classes), columns as ``class_names``.
        class_names: The classes; of two, only the first is told, as the second is its mirror image.
        confidence: Level of the intervals (Wilson) around the observed shares.

    Returns:
        One row a class and bin of equal width that holds rows: ``class``, ``predicted`` (mean probability),
        ``observed`` (share), ``lower``, ``upper``, ``n``.
    """
    rows: list[dict[str, object]] = []
    for column, name in enumerate(class_names if len(class_names) > 2 else class_names[:1]):
        given, hits = probabilities[:, column], true == name
        bins = np.minimum((given * _BINS).astype(np.intp), _BINS - 1)
        for code in np.unique(bins):
            inside = bins == code
            n, k = int(inside.sum()), int(hits[inside].sum())
            ends = binomtest(k, n).proportion_ci(confidence, method="wilson")
            rows.append(
                {
                    "class": name,
                    "predicted": float(given[inside].mean()),
                    "observed": k / n,
                    "lower": float(ends.low),
                    "upper": float(ends.high),
                    "n": n,
                }
            )
    return pd.DataFrame(rows)
