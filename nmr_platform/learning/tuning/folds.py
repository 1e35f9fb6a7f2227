"""Cross-validation folds inside the training part, by disorder group."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

from nmr_platform.errors import DataError
from nmr_platform.learning.splitting import TrainingPart
from nmr_platform.learning.tasks import Task

__all__ = ["Fold", "make_folds"]


@dataclass(frozen=True)
class Fold:
    """Row numbers of one fold.

    Attributes:
        fit: Rows to fit on, shape (n_fit,).
        score: Rows to score on, shape (n_score,).
    """

    fit: NDArray[np.intp]
    score: NDArray[np.intp]


def make_folds(part: TrainingPart, task: Task, n_folds: int, seed: int) -> list[Fold]:
    """Split the training part into folds that share no disorder group; classes stay in proportion.

    Raises:
        DataError: There are fewer groups, or fewer curves of a class, than folds.
    """
    n_groups = len(np.unique(part.groups))
    if n_groups < n_folds:
        message = f"The training part must have {n_folds} disorder groups or more for `cv_folds`, but has {n_groups}."
        raise DataError(message)
    strata = task.strata(part.labels)
    if strata is None:
        splits = GroupKFold(n_folds, shuffle=True, random_state=seed).split(part.groups, groups=part.groups)
    else:
        names, sizes = np.unique(strata, return_counts=True)
        if sizes.min() < n_folds:
            name, size = names[sizes.argmin()], sizes.min()
            message = f"Class `{name}` must have {n_folds} training curves or more for `cv_folds`, but has {size}."
            raise DataError(message)
        splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
        splits = splitter.split(part.groups, strata, part.groups)
    return [Fold(fit, score) for fit, score in splits]
