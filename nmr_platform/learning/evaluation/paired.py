"""Whether one model reads the same curves better than another: the difference of scores, by paired resamples."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nmr_platform.errors import DataError
from nmr_platform.learning.evaluation.bootstrap import Bootstrap, Score, Statistics
from nmr_platform.learning.evaluation.scores import classification_statistics, regression_statistics
from nmr_platform.learning.tasks import Task

__all__ = ["Standing", "paired_gain", "standings"]

_SAMPLE = ["kernel", "curve"]


@dataclass(frozen=True)
class Standing:
    """Where a model stands among others that read the same held-out curves.

    Attributes:
        model: Its name.
        score: Its main score.
        rank: 1 and how many others beat it beyond doubt; models with the same rank may still differ.
        behind: How much larger the leader's score is; its interval holds for all pairs of models at once.
    """

    model: str
    score: Score
    rank: int
    behind: Score


def paired_gain(task: Task, old: pd.DataFrame, new: pd.DataFrame, bootstrap: Bootstrap) -> Score:
    """How much larger the main score of ``new`` is than that of ``old``; what the curves share cancels.

    Args:
        task: The task of both.
        old: Predictions of held-out samples, columns ``kernel``, ``curve``, ``disorder``, ``true`` and ``predicted``;
            of a joint task ``true_<target>`` and ``predicted_<target>`` of each target.
        new: Predictions of the same samples, perhaps measured otherwise.
        bootstrap: Makes the interval.

    Returns:
        The gain, in the unit of the score, which is dimensionless.

    Raises:
        DataError: They are not of the same samples.

    Example:
        >>> from nmr_platform.learning import RegressionTask
        >>> true = np.linspace(0.1, 0.3, 40)  # MHz
        >>> samples = pd.DataFrame({"kernel": "gaussian", "curve": range(40), "disorder": range(40), "true": true})
        >>> old, new = (samples.assign(predicted=true + error * np.cos(range(40))) for error in (0.05, 0.01))
        >>> gain = paired_gain(RegressionTask(target="W"), old, new, Bootstrap())
        >>> gain.lower > 0
        True
    """
    (of_old, of_new), groups = _on_the_same(task, [old, new])
    name = task.metric
    return bootstrap.scores(lambda counts: {name: of_new(counts)[name] - of_old(counts)[name]}, groups)[name]


def standings(task: Task, predictions: Mapping[str, pd.DataFrame], bootstrap: Bootstrap) -> list[Standing]:
    """Rank models by what the same curves say of every pair of them.

    One model beats another beyond doubt where the simultaneous interval of their difference excludes 0: the largest of
    the studentised errors of all differences, over the resamples, says how wide intervals must be for all of them to
    hold together (the bootstrap's max-T; Romano and Wolf, J. Am. Stat. Assoc. 100, 94 (2005)).

    Args:
        task: The task of all models.
        predictions: Of each model by name: held-out samples, columns as in `paired_gain`.
        bootstrap: Makes the intervals.

    Returns:
        The largest score first.

    Raises:
        DataError: They are not of the same samples.

    Example:
        >>> from nmr_platform.learning import RegressionTask
        >>> true = np.linspace(0.1, 0.3, 40)  # MHz
        >>> samples = pd.DataFrame({"kernel": "gaussian", "curve": range(40), "disorder": range(40), "true": true})
        >>> errors = {"blunt": 0.05, "sharp": 0.01, "as sharp": -0.01}
        >>> found = standings(
        ...     RegressionTask(target="W"),
        ...     {name: samples.assign(predicted=true + error * np.cos(range(40))) for name, error in errors.items()},
        ...     Bootstrap(),
        ... )
        >>> [(each.model, each.rank) for each in found]
        [('sharp', 1), ('as sharp', 1), ('blunt', 3)]
    """
    statistics, groups = _on_the_same(task, [*predictions.values()])
    main, names = task.metric, [*predictions]
    n = len(groups)
    value = np.array([of(np.ones((1, n)))[main][0] for of in statistics])
    resampled = np.array([bootstrap.resampled(of, groups)[main] for of in statistics])
    ahead = value[:, np.newaxis] - value
    margin = _margins(resampled[:, np.isfinite(resampled).all(axis=0)], ahead, bootstrap.confidence)
    beaten_by = (ahead > margin).sum(axis=0)
    leader = int(value.argmax())
    found = [
        Standing(
            name,
            bootstrap.score(float(value[k]), resampled[k], n),
            1 + int(beaten_by[k]),
            Score(
                float(ahead[leader, k]),
                float(ahead[leader, k] - margin[leader, k]),
                float(ahead[leader, k] + margin[leader, k]),
                n,
            ),
        )
        for k, name in enumerate(names)
    ]
    return sorted(found, key=lambda each: -each.score.value)


def _margins(resampled: NDArray[np.float64], ahead: NDArray[np.float64], confidence: float) -> NDArray[np.float64]:
    """Half widths of the intervals around all differences that hold together, shape (n_models, n_models).

    Args:
        resampled: Scores, shape (n_models, n_resamples).
        ahead: Differences of the scores, shape (n_models, n_models).
        confidence: That all hold.
    """
    errors = resampled[:, np.newaxis] - resampled - ahead[..., np.newaxis]
    spread: NDArray[np.float64] = errors.std(axis=-1)
    # A model differs from itself, and from one that says the same, by nothing.
    studentised = np.abs(errors) / np.where(spread > 0, spread, np.inf)[..., np.newaxis]
    return spread * float(np.quantile(studentised.max(axis=(0, 1)), confidence))


def _on_the_same(task: Task, predictions: list[pd.DataFrame]) -> tuple[list[Statistics], NDArray[np.intp]]:
    """The statistics of every model in one order of the curves, and the disorder group of each curve, shape (n,)."""
    first = predictions[0].reset_index(drop=True)
    statistics = []
    for each in predictions:
        both = first.merge(each, on=_SAMPLE, suffixes=("", "_new"))
        same = [(both[f"true{ending}"] == both[f"true{ending}_new"]).all() for ending in task.parts or [""]]
        if not len(first) == len(each) == len(both) or not all(same):
            message = f"Models can be compared on the same curves only, but these share {len(both)} of {len(first)}."
            raise DataError(message)
        statistics.append(_statistics(task, both))
    groups: NDArray[np.intp] = np.unique(first["disorder"].to_numpy(dtype=np.str_), return_inverse=True)[1]
    return statistics, groups


def _statistics(task: Task, both: pd.DataFrame) -> Statistics:
    if task.class_names:
        return classification_statistics(both["true"].to_numpy(), both["predicted_new"].to_numpy(), task.class_names)
    parts = [
        regression_statistics(
            both[f"true{ending}"].to_numpy(dtype=np.float64), both[f"predicted{ending}_new"].to_numpy(dtype=np.float64)
        )
        for ending in task.parts
    ]
    if len(parts) == 1:
        return parts[0]
    return lambda counts: {task.metric: np.mean([of(counts)[task.metric] for of in parts], axis=0)}
