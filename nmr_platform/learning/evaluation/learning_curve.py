"""Score against the number of training curves: would more data help?"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from nmr_platform.learning.evaluation.bootstrap import Bootstrap
from nmr_platform.learning.evaluation.scores import Predictions, score_rows
from nmr_platform.learning.models.estimator import Estimator
from nmr_platform.learning.splitting import HeldOut, TrainingPart
from nmr_platform.learning.tasks import Task

__all__ = ["learning_curve"]


def learning_curve(
    task: Task,
    build: Callable[[], Estimator],
    whole: Estimator,
    parts: tuple[TrainingPart, HeldOut],
    fractions: Sequence[float],
    bootstrap: Bootstrap,
    *,
    seed: int,
) -> pd.DataFrame:
    """Fit on growing parts of the training curves and score each fit on the same held-out curves.

    Parts are drawn by disorder group, and each holds the smaller ones. The parameters stay those that were tuned on
    all curves, which flatters no size but the largest.

    Args:
        task: The task.
        build: Makes an unfitted estimator.
        whole: The estimator fitted on all training curves: the end of the learning curve.
        parts: The training part and the held-out part.
        fractions: Shares of the disorder groups to fit on, between 0 and 1.
        bootstrap: Makes the intervals.
        seed: Seed of the order in which groups join.

    Returns:
        One row a size and metric: ``n_train``, ``metric``, ``value``, ``lower``, ``upper``, ``n``.
    """
    training, test = parts
    groups = np.random.default_rng(seed).permutation(np.unique(training.groups))
    y = task.y(training.labels)
    rows: list[dict[str, object]] = []
    for fraction in sorted(fractions):
        inside = np.isin(training.groups, groups[: max(1, round(fraction * len(groups)))])
        if task.class_names and len(np.unique(y[inside])) < len(task.class_names):
            continue
        model = build().fit(training.features.loc[inside], y[inside])
        rows += _scores(task, model, test, int(inside.sum()), bootstrap)
    return pd.DataFrame(rows + _scores(task, whole, test, len(y), bootstrap))


def _scores(task: Task, model: Estimator, test: HeldOut, n_train: int, bootstrap: Bootstrap) -> list[dict[str, object]]:
    predictions = Predictions(
        true=task.y(test.labels),
        predicted=model.predict(test.features),
        groups=test.groups,
        w=test.labels["W"].to_numpy(dtype=np.float64),
    )
    scores = score_rows(task, predictions, bootstrap)
    return [{"n_train": n_train, "metric": name, **vars(score)} for name, score in scores.items()]
