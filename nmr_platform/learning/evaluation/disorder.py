"""Frozen against fresh disorder: does a model read the coupling, or the one realisation that it was trained on?"""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd

from nmr_platform.learning.evaluation.bootstrap import Bootstrap
from nmr_platform.learning.evaluation.scores import Predictions, score_rows
from nmr_platform.learning.models.forests import ExtraTrees
from nmr_platform.learning.rows import TaskRows, task_rows
from nmr_platform.learning.settings import SplitSettings
from nmr_platform.learning.tasks import RegressionTask

__all__ = ["Disorder", "LabelledTable", "compare_disorder"]

Disorder = Literal["fresh", "frozen"]
LabelledTable = tuple[pd.DataFrame, pd.DataFrame]

_TABLE = "features"
_PARAMS = {"max_features": 0.2, "min_samples_leaf": 1, "max_depth": 24}


def compare_disorder(
    data: Mapping[Disorder, LabelledTable],
    tasks: Mapping[str, RegressionTask],
    *,
    split: SplitSettings,
    n_estimators: int,
    bootstrap: Bootstrap,
    seed: int,
) -> pd.DataFrame:
    """Train on each kind of disorder and test on both.

    A model that was trained on one realisation and scores well on other curves of it, but not on curves of new
    realisations, has learnt to read that realisation. All models are extra trees of the same parameters: the question
    is about data, and nothing is tuned.

    Args:
        data: Features and labels of a ``fresh`` and a ``frozen`` data set of the same study, with seeds of their own.
        tasks: What to learn, by name.
        split: What is held out; the frozen set is split by curve.
        n_estimators: Trees of the forest.
        bootstrap: Makes the intervals.
        seed: Seed of the forests.

    Returns:
        One row a task and pair: ``task``, ``trained_on``, ``tested_on``, ``value`` (R2), ``lower``, ``upper``,
        ``n_train``, ``n_test``.

    Raises:
        DataError: The labels lack a target, or cannot be split.
    """
    rows: list[dict[str, object]] = []
    for name, task in tasks.items():
        parts = {kind: _split(task, data[kind], split) for kind in data}
        for trained_on, own in parts.items():
            training = own.training_part(_TABLE)
            model = ExtraTrees().build({**_PARAMS, "n_estimators": n_estimators}, task, seed=seed, n_jobs=-1)
            model.fit(training.features, task.y(training.labels))
            for tested_on, other in parts.items():
                test = other.held_out(_TABLE)
                predictions = Predictions(
                    true=task.y(test.labels),
                    predicted=model.set_params(n_jobs=1).predict(test.features),
                    groups=test.groups,
                    w=test.labels["W"].to_numpy(dtype=np.float64),
                )
                score = score_rows(task, predictions, bootstrap)["r2"]
                rows.append(
                    {
                        "task": name,
                        "trained_on": trained_on,
                        "tested_on": tested_on,
                        "value": score.value,
                        "lower": score.lower,
                        "upper": score.upper,
                        "n_train": len(training.features),
                        "n_test": score.n,
                    }
                )
    return pd.DataFrame(rows)


def _split(task: RegressionTask, data: LabelledTable, split: SplitSettings) -> TaskRows:
    table, labels = data
    return task_rows(task, {_TABLE: table}, labels, split.replace(frozen_disorder="curve"))
