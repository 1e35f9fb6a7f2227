"""Whether one model reads the same curves better than another: the difference of scores, by paired resamples."""

import numpy as np
import pandas as pd

from nmr_platform.errors import DataError
from nmr_platform.learning.evaluation.bootstrap import Bootstrap, Score, Statistics
from nmr_platform.learning.evaluation.scores import classification_statistics, regression_statistics
from nmr_platform.learning.tasks import Task

__all__ = ["paired_gain"]

_SAMPLE = ["kernel", "curve"]


def paired_gain(task: Task, old: pd.DataFrame, new: pd.DataFrame, bootstrap: Bootstrap) -> Score:
    """How much larger the main score of ``new`` is than that of ``old``; what the curves share cancels.

    Args:
        task: The task of both.
        old: Predictions of held-out samples, columns ``kernel``, ``curve``, ``disorder``, ``true`` and ``predicted``.
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
    both = old.merge(new, on=_SAMPLE, suffixes=("", "_new"))
    if not len(old) == len(new) == len(both) or not (both["true"] == both["true_new"]).all():
        message = f"Models can be compared on the same curves only, but these share {len(both)} of {len(old)}."
        raise DataError(message)
    of_old, of_new = (_statistics(task, both["true"], both[column]) for column in ("predicted", "predicted_new"))
    groups = np.unique(both["disorder"].to_numpy(dtype=np.str_), return_inverse=True)[1]
    name = task.metric
    return bootstrap.scores(lambda counts: {name: of_new(counts)[name] - of_old(counts)[name]}, groups)[name]


def _statistics(task: Task, true: "pd.Series[float]", predicted: "pd.Series[float]") -> Statistics:
    if task.class_names:
        return classification_statistics(true.to_numpy(), predicted.to_numpy(), task.class_names)
    return regression_statistics(np.asarray(true, dtype=np.float64), np.asarray(predicted, dtype=np.float64))
