"""Uncertainty that means what it says: calibrated probabilities, conformal intervals and conformal p-values."""

from collections.abc import Callable, Sequence
from typing import Any, Self

import joblib
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binomtest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.calibration import CalibratedClassifierCV

from nmr_platform.errors import ConfigurationError
from nmr_platform.learning.models import Estimator, fit_beside_others
from nmr_platform.learning.splitting import Fold

__all__ = [
    "conformal_p_values",
    "fit_calibrated",
    "interval_half_width",
    "is_informative",
    "out_of_fold",
    "reliability_table",
    "uncalibrated",
]

_BINS = 8
# An interval that is wider than this share of the one without a record says nothing.
_INFORMATIVE = 0.8


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

    parts = joblib.Parallel(n_jobs=n_jobs, prefer="threads")(joblib.delayed(predict)(fold) for fold in folds)
    predicted = np.empty(len(y), dtype=parts[0].dtype)
    for fold, part in zip(folds, parts, strict=True):
        predicted[fold.score] = part
    return predicted


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


def is_informative(width: float, width_without: float) -> bool:
    """Whether an interval says more than one would that knows nothing but the training curves.

    Args:
        width: Of the interval.
        width_without: Of that which holds as many of the training curves, in the same unit.
    """
    return width < _INFORMATIVE * width_without


def interval_half_width(residuals: NDArray[np.float64], *, coverage: float) -> float:
    """How far a prediction may lie from the truth, so that new curves are within it with the given probability.

    Cross-conformal inference with the residuals of all folds pooled (Vovk, Ann. Math. Artif. Intell. 74, 9 (2015)):
    one number that a model can carry wherever it goes, where CV+ would need the models of all folds and the training
    curves. It is the k-th smallest of n residuals, k = ceil((n + 1) coverage). The residuals come from models that saw
    a fold less than the one that is kept, and are rather too large than too small: intervals err on the side of
    covering more, the less so the more folds there are.

    Args:
        residuals: Absolute out-of-fold residuals, shape (n,), in the target's unit.
        coverage: Nominal coverage, between 0 and 1.

    Returns:
        Half the width of every interval, in the target's unit.

    Raises:
        ConfigurationError: ``coverage`` is so near to 0 or 1 that n residuals cannot tell.
    """
    n = len(residuals)
    if not 1 / n < coverage < 1 - 1 / n:
        message = (
            f"Argument `coverage` must lie between {1 / n:.4g} and {1 - 1 / n:.4g} with {n} residuals, but is "
            f"{coverage}."
        )
        raise ConfigurationError(message, key="coverage", value=coverage)
    # Half a second to import, which no command waits for that makes no intervals.
    from mapie.regression import SplitConformalRegressor  # noqa: PLC0415

    conformal = SplitConformalRegressor(_Zero(), confidence_level=coverage, prefit=True)
    conformal.conformalize(np.zeros((n, 1)), residuals)
    return float(conformal.predict_interval(np.zeros((1, 1)))[1][0, 1, 0])


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


class _Zero(RegressorMixin, BaseEstimator):
    """Always says 0: what MAPIE takes for the fitted model whose residuals it is given."""

    def __init__(self) -> None:
        self.n_features_in_ = 1

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: ARG002 (MAPIE asks for the method, and calls it never)
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.float64]:
        return np.zeros(len(np.asarray(X)))
