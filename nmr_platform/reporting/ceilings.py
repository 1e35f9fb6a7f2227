"""What models learnt of each data set, beside what its records allow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from nmr_platform.learning import Bootstrap, Score, regression_statistics

__all__ = ["CeilingRow", "Ceilings", "ceiling_row"]

_NEAR = 0.05


@dataclass(frozen=True)
class CeilingRow:
    """One target in the held-out curves of one data set.

    Attributes:
        task: Name of the task.
        dataset: Name of the data set.
        learnt: R2 of the task's champion on the held-out curves of this data set.
        coverage: Share of them inside their prediction interval.
        ceiling: The largest R2 that a model can have, by the Cramer-Rao bound.
        error: Standard error of the ceiling.
    """

    task: str
    dataset: str
    learnt: Score
    coverage: float
    ceiling: float
    error: float

    @property
    def is_near(self) -> bool:
        """Whether the model knows what can be known, to within 0.05 of R2."""
        return self.learnt.value >= self.ceiling - _NEAR


@dataclass(frozen=True)
class Ceilings:
    """The comparison.

    Attributes:
        rows: One a task and data set.
    """

    rows: Sequence[CeilingRow]

    @property
    def verdict(self) -> str:
        """What was learnt and what was not, in one sentence."""
        near = sum(row.is_near for row in self.rows)
        lowest = min(self.rows, key=lambda row: row.ceiling)
        furthest = max(self.rows, key=lambda row: row.ceiling - row.learnt.value)
        left = (
            ""
            if furthest.is_near
            else f", and most is left unlearnt of {furthest.task} in {furthest.dataset} "
            f"({furthest.learnt.value:.2f} of {furthest.ceiling:.2f})"
        )
        return (
            f"{near} of {len(self.rows)} numbers are read to within {_NEAR:g} of R2 of what their records allow; they "
            f"allow least of {lowest.task} in {lowest.dataset} ({lowest.ceiling:.2f}){left}."
        )


def ceiling_row(
    task: str, dataset: str, predictions: pd.DataFrame, ceiling: Mapping[str, Any], bootstrap: Bootstrap
) -> CeilingRow:
    """One row.

    Args:
        task: Name of the task.
        dataset: Name of the data set.
        predictions: Of the task's champion for held-out curves, columns ``kernel``, ``disorder``, ``true``,
            ``predicted``, ``lower`` and ``upper``, the last four in the target's unit.
        ceiling: ``r2`` and ``error`` of the target, dimensionless.
        bootstrap: Makes the interval.

    Example:
        >>> true = np.linspace(0.1, 0.3, 40)  # MHz
        >>> told = pd.DataFrame({"kernel": "gaussian", "disorder": range(40), "true": true, "predicted": true + 0.01})
        >>> told = told.assign(lower=told["predicted"] - 0.02, upper=told["predicted"] + 0.02)
        >>> row = ceiling_row("W", "gaussian", told, {"r2": 0.99, "error": 0.002}, Bootstrap())
        >>> round(row.learnt.value, 3), row.coverage, row.is_near
        (0.971, 1.0, True)
    """
    own = predictions[predictions["kernel"] == dataset]
    groups = np.unique(own["disorder"].to_numpy(dtype=np.str_), return_inverse=True)[1]
    true, predicted = (own[name].to_numpy(dtype=np.float64) for name in ("true", "predicted"))
    covered = (own["lower"] <= own["true"]) & (own["true"] <= own["upper"])
    return CeilingRow(
        task=task,
        dataset=dataset,
        learnt=bootstrap.scores(regression_statistics(true, predicted), groups)["r2"],
        coverage=float(covered.mean()),
        ceiling=ceiling["r2"],
        error=ceiling["error"],
    )
