"""The rows of one task with their split: the one way from whole tables to what tuning and evaluation see."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from nmr_platform.errors import DataError
from nmr_platform.learning.settings import SplitSettings
from nmr_platform.learning.splitting import HeldOut, Split, TrainingPart, make_split
from nmr_platform.learning.tasks import Task

__all__ = ["TaskRows", "task_rows"]


@dataclass(frozen=True)
class TaskRows:
    """The rows of one task, and their split.

    Attributes:
        labels: Labels of the task's rows.
        tables: Feature tables of the same rows, by name.
        split: Which of them are held out.
    """

    labels: pd.DataFrame
    tables: Mapping[str, pd.DataFrame]
    split: Split

    def training_part(self, feature_set: str) -> TrainingPart:
        """What tuning may see of one table."""
        return self.split.training_part(self.tables[feature_set], self.labels)

    def held_out(self, feature_set: str) -> HeldOut:
        """What is kept of one table for the evaluation."""
        return self.split.held_out(self.tables[feature_set], self.labels)


def task_rows(
    task: Task, features: Mapping[str, pd.DataFrame], labels: pd.DataFrame, settings: SplitSettings
) -> TaskRows:
    """Select the task's rows and split them.

    Args:
        task: The task.
        features: Every feature table, rows in the order of ``labels``.
        labels: Labels with ``kernel``, ``curve``, ``disorder`` and the targets.
        settings: How to split.

    Raises:
        DataError: A table and the labels differ in length, a kernel is missing, the target does not vary, or there is
            no honest split.
    """
    for name, table in features.items():
        if len(table) != len(labels):
            message = f"Feature table `{name}` must have one row per label ({len(labels)}), but has {len(table)}."
            raise DataError(message)
    rows = task.select(labels)
    chosen = labels.loc[rows].reset_index(drop=True)
    task.check(chosen)
    tables = {name: table.loc[rows].reset_index(drop=True) for name, table in features.items()}
    return TaskRows(chosen, tables, make_split(chosen, tables, settings))
