"""Scores of predictions: for the whole test part and by bins of W, each with its confidence interval."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binomtest

from nmr_platform.learning.evaluation.bootstrap import Bootstrap, Score, Statistics
from nmr_platform.learning.models import Estimator
from nmr_platform.learning.splitting import HeldOut
from nmr_platform.learning.tasks import Task

__all__ = [
    "Predictions",
    "classification_statistics",
    "regression_statistics",
    "score_by_bins",
    "score_by_exponent",
    "score_rows",
    "w_bins",
]

# Fewer rows than this in a bin say nothing.
_LEAST_ROWS = 10
_BINS = 10
# A probability of 0 for the true class would make the log loss infinite; scikit-learn clips there, too.
_SMALLEST = 1e-15


@dataclass(frozen=True)
class Predictions:
    """Predictions beside the truth.

    Attributes:
        true: Targets, shape (n,), or of a joint task (n, d).
        predicted: Predictions, likewise.
        groups: Disorder group of every row, shape (n,).
        w: Kernel integral of every row, MHz, shape (n,).
        lower: Lower end of the prediction interval, likewise, in the target's unit; None without intervals.
        upper: Upper end of the prediction interval.
        probabilities: Probability of every class, shape (n, n_classes); None without.
        posterior: Columns whose means say how good posteriors are, each of shape (n,), see `posterior_columns`; empty
            without posteriors.
    """

    true: NDArray[np.generic]
    predicted: NDArray[np.generic]
    groups: NDArray[np.intp]
    w: NDArray[np.float64]
    lower: NDArray[np.float64] | None = None
    upper: NDArray[np.float64] | None = None
    probabilities: NDArray[np.float64] | None = None
    posterior: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    @classmethod
    def of(cls, task: Task, model: Estimator, part: HeldOut) -> Self:
        """What a model says of some curves.

        Args:
            task: What it predicts.
            model: Fitted on the columns of the part's features.
            part: The curves, with the truth.
        """
        return cls(
            true=task.y(part.labels),
            predicted=model.predict(part.features),
            groups=part.groups,
            w=part.labels["W"].to_numpy(dtype=np.float64),
        )

    def of_target(self, target: int) -> "Predictions":
        """Those of one target of a joint task, without its posteriors."""
        lower, upper = (None if part is None else part[:, target] for part in (self.lower, self.upper))
        true, predicted = self.true[:, target], self.predicted[:, target]
        return replace(self, true=true, predicted=predicted, lower=lower, upper=upper, posterior={})

    def rows(self, chosen: NDArray[np.bool_]) -> "Predictions":
        """Only the chosen rows, shape (n,)."""
        parts = (self.lower, self.upper, self.probabilities)
        lower, upper, probabilities = (None if part is None else part[chosen] for part in parts)
        posterior = {name: column[chosen] for name, column in self.posterior.items()}
        four = (self.true[chosen], self.predicted[chosen], self.groups[chosen], self.w[chosen])
        return Predictions(*four, lower, upper, probabilities, posterior)


def score_rows(task: Task, predictions: Predictions, bootstrap: Bootstrap) -> dict[str, Score]:
    """All scores of some rows.

    Args:
        task: What was predicted.
        predictions: Predictions of n rows, in the target's unit or class names.
        bootstrap: Makes the intervals.

    Returns:
        For a regression ``r2``, ``rmse`` and ``mae`` (in the target's unit), and with prediction intervals their
        measured ``coverage`` and mean ``width``, with posteriors those of `posterior_columns`; for a joint task all of
        these of each target, ``r2_<target>`` and so on, ``r2``, the mean over the targets, and with posteriors those of
        `joint_columns`; for a classification
        ``f1_weighted``, ``accuracy`` and ``f1_<class>`` for each class, and with probabilities the ``brier`` score, the
        ``log_loss`` and the expected calibration error ``ece``, smaller is better. Intervals are bootstrapped, but for
        the coverage of independent curves: that is a share, and its interval Wilson's.
    """
    if task.class_names:
        parts = [
            classification_statistics(predictions.true, predictions.predicted, task.class_names),
            _probabilities(predictions, task.class_names),
        ]
    else:
        parts = [_regression(predictions) if "" in task.parts else _joint(task, predictions)]
    scores = bootstrap.scores(
        lambda counts: {name: value for part in parts for name, value in part(counts).items()}, predictions.groups
    )
    if len(np.unique(predictions.groups)) == len(predictions.groups):
        shares = {f"coverage{ending}" for ending in task.parts} & set(scores)
        scores |= {name: _share(scores[name], bootstrap.confidence) for name in shares}
    return scores


def _share(score: Score, confidence: float) -> Score:
    ends = binomtest(round(score.value * score.n), score.n).proportion_ci(confidence, method="wilson")
    return replace(score, lower=float(ends.low), upper=float(ends.high))


def w_bins(w: NDArray[np.float64], n_bins: int) -> NDArray[np.intp]:
    """Quantile bin of every row, shape (n,), counted from 0; fewer bins than asked for if rows are few.

    Args:
        w: Kernel integral of every row, MHz, shape (n,).
        n_bins: Number of bins.
    """
    codes: NDArray[np.intp] = pd.qcut(w, max(1, min(n_bins, len(w) // _LEAST_ROWS)), labels=False, duplicates="drop")
    return codes


def score_by_bins(task: Task, predictions: Predictions, bootstrap: Bootstrap, *, n_bins: int = 5) -> pd.DataFrame:
    """Scores in quantile bins of W.

    R2 within a bin compares with the spread inside that bin, so that of W itself falls with narrower bins; RMSE and
    MAE do not.

    Args:
        task: What was predicted.
        predictions: Predictions of n rows, in the target's unit or class names.
        bootstrap: Makes the intervals.
        n_bins: Number of bins; there are fewer if rows are few, see `w_bins`.

    Returns:
        One row per bin and metric: ``bin``, ``w_low`` and ``w_high`` (MHz), ``metric``, ``value``, ``lower``,
        ``upper``, ``n``.
    """
    codes = w_bins(predictions.w, n_bins)
    rows: list[dict[str, object]] = []
    for code in np.unique(codes):
        inside = predictions.rows(codes == code)
        edges = {"bin": int(code), "w_low": float(inside.w.min()), "w_high": float(inside.w.max())}
        scores = score_rows(task, inside, bootstrap)
        rows += [{**edges, "metric": name, **vars(score)} for name, score in scores.items()]
    return pd.DataFrame(rows)


def score_by_exponent(
    task: Task, predictions: Predictions, exponent: NDArray[np.float64], bootstrap: Bootstrap, *, n_bins: int = 4
) -> pd.DataFrame | None:
    """Scores of a kernel against the rest, in equal bins of its exponent: which power laws look like the others?

    Args:
        task: The task.
        predictions: Predictions of the whole test part.
        exponent: Exponent of every curve's kernel, NaN where it has none, shape (n,).
        bootstrap: Makes the intervals of F1; those of the recall, which is a share, are Wilson's.
        n_bins: Number of bins.

    Returns:
        One row per bin and metric: ``bin``, ``exponent_low``, ``exponent_high``, ``metric`` (``recall``: the share of
        the bin's curves that was found; ``f1_weighted``: of those curves against all others), ``value``, ``lower``,
        ``upper``, ``n`` (curves of the bin). None for another kind of task, or if the exponent is fixed.
    """
    if not task.class_names or getattr(task, "positive", None) is None:
        return None
    positive = predictions.true == task.class_names[0]
    drawn = exponent[positive & np.isfinite(exponent)]
    if drawn.size == 0 or np.ptp(drawn) == 0.0:
        return None
    edges = np.linspace(drawn.min(), drawn.max(), n_bins + 1)
    codes = np.clip(np.searchsorted(edges, exponent, side="right") - 1, 0, n_bins - 1)
    rows: list[dict[str, object]] = []
    for code in np.unique(codes[positive]):
        inside = positive & (codes == code)
        n, found = int(inside.sum()), float((predictions.predicted[inside] == task.class_names[0]).mean())
        f1 = score_rows(task, predictions.rows(inside | ~positive), bootstrap)["f1_weighted"]
        place = {"bin": int(code), "exponent_low": float(edges[code]), "exponent_high": float(edges[code + 1])}
        recall = _share(Score(found, found, found, n), bootstrap.confidence)
        rows.append({**place, "metric": "recall", **vars(recall)})
        rows.append({**place, "metric": "f1_weighted", **vars(replace(f1, n=n))})
    return pd.DataFrame(rows)


def _regression(predictions: Predictions) -> Statistics:
    intervals = {**_interval_columns(predictions), **predictions.posterior}
    errors = regression_statistics(predictions.true.astype(np.float64), predictions.predicted.astype(np.float64))

    def statistics(counts: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        n = counts.sum(axis=1)
        return {**errors(counts), **{name: counts @ column / n for name, column in intervals.items()}}

    return statistics


def _joint(task: Task, predictions: Predictions) -> Statistics:
    """Those of each target, the mean R2, and of all targets together."""
    parts = {ending: _regression(predictions.of_target(k)) for k, ending in enumerate(task.parts)}

    def statistics(counts: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        own = {f"{name}{ending}": value for ending, of in parts.items() for name, value in of(counts).items()}
        mean = np.mean([own[f"r2{ending}"] for ending in parts], axis=0)
        together = {name: counts @ column / counts.sum(axis=1) for name, column in predictions.posterior.items()}
        return {"r2": mean, **own, **together}

    return statistics


def regression_statistics(true: NDArray[np.float64], predicted: NDArray[np.float64]) -> Statistics:
    """``r2``, ``rmse`` and ``mae`` as statistics of the bootstrap.

    Args:
        true: Targets, shape (n,), in any unit.
        predicted: Predictions, shape (n,), in the same unit.

    Returns:
        From how often each row is drawn, shape (b, n), to named values, shape (b,): ``r2`` dimensionless, the others in
        the target's unit.
    """
    error, centred = predicted - true, true - true.mean()
    columns = np.stack([error**2, np.abs(error), centred, centred**2], axis=1)

    def statistics(counts: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        n = counts.sum(axis=1)
        squares, absolutes, sums, total = (counts @ columns).T
        spread = total - sums**2 / n
        # Below rounding the resample holds one value over and over, and R2 is not defined.
        r2 = 1.0 - squares / np.where(spread > 1e-12 * total, spread, np.nan)
        return {"r2": r2, "rmse": np.sqrt(squares / n), "mae": absolutes / n}

    return statistics


def _interval_columns(predictions: Predictions) -> dict[str, NDArray[np.float64]]:
    lower, upper = predictions.lower, predictions.upper
    if lower is None or upper is None:
        return {}
    true = predictions.true.astype(np.float64)
    return {"coverage": ((lower <= true) & (true <= upper)).astype(np.float64), "width": upper - lower}


def classification_statistics(
    true: NDArray[np.generic], predicted: NDArray[np.generic], class_names: Sequence[str]
) -> Statistics:
    """``f1_weighted``, ``accuracy`` and ``f1_<class>`` as statistics of the bootstrap.

    Args:
        true: Names of the classes, shape (n,).
        predicted: Likewise.
        class_names: All classes.

    Returns:
        From how often each row is drawn, shape (b, n), to named values, shape (b,), dimensionless.
    """
    k = len(class_names)
    index = pd.Index(class_names)
    codes = index.get_indexer(pd.Index(true)) * k + index.get_indexer(pd.Index(predicted))
    cells = np.eye(k * k)[codes]

    def statistics(counts: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        confusion = (counts @ cells).reshape(-1, k, k)
        hits = np.diagonal(confusion, axis1=1, axis2=2)
        support, claimed = confusion.sum(axis=2), confusion.sum(axis=1)
        f1 = 2.0 * hits / np.maximum(support + claimed, 1.0)
        n = support.sum(axis=1)
        named = {f"f1_{name}": f1[:, column] for column, name in enumerate(class_names)}
        return {"f1_weighted": (support * f1).sum(axis=1) / n, "accuracy": hits.sum(axis=1) / n, **named}

    return statistics


def _probabilities(predictions: Predictions, class_names: Sequence[str]) -> Statistics:
    """Brier score, log loss and expected calibration error; nothing without probabilities.

    The Brier score is the squared distance between probabilities and truth, halved for two classes as is custom. The
    calibration error compares the probability of the likeliest class with how often it is right, in ten equal bins
    (Guo et al., ICML 2017).
    """
    probabilities = predictions.probabilities
    if probabilities is None:
        return lambda _: {}
    codes = pd.Index(class_names).get_indexer(pd.Index(predictions.true))
    truth = np.eye(len(class_names))[codes]
    brier = ((probabilities - truth) ** 2).sum(axis=1) / (2.0 if len(class_names) == 2 else 1.0)
    log_loss = -np.log(np.maximum(probabilities[np.arange(len(codes)), codes], _SMALLEST))
    confidence = probabilities.max(axis=1)
    excess = confidence - (probabilities.argmax(axis=1) == codes)
    in_bin = np.eye(_BINS)[np.minimum((confidence * _BINS).astype(np.intp), _BINS - 1)]

    def statistics(counts: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        n = counts.sum(axis=1)
        gaps = np.abs(counts @ (in_bin * excess[:, np.newaxis]))
        return {"brier": counts @ brier / n, "log_loss": counts @ log_loss / n, "ece": gaps.sum(axis=1) / n}

    return statistics
