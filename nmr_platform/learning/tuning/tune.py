"""Tune one task: a study for every model family on every feature table, on the training part only."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from nmr_platform.errors import ConfigurationError
from nmr_platform.learning.models.families import make_family
from nmr_platform.learning.rows import TaskRows, task_rows
from nmr_platform.learning.settings import SplitSettings, TuneSettings
from nmr_platform.learning.tasks import Task
from nmr_platform.learning.tuning.folds import make_folds
from nmr_platform.learning.tuning.plan import StudyPlan
from nmr_platform.learning.tuning.study import StudyProgress, run_study
from nmr_platform.learning.tuning.summary import TuneSummary
from nmr_platform.studies import closing_storage
from nmr_platform.tracking import DatasetEntry, Tracker

__all__ = ["study_plans", "tune_task"]


def tune_task(
    task_name: str,
    task: Task,
    features: Mapping[str, pd.DataFrame],
    labels: pd.DataFrame,
    *,
    tune: TuneSettings,
    split: SplitSettings,
    tracker: Tracker,
    storage: Path,
    datasets: Sequence[DatasetEntry] = (),
    progress: Callable[[StudyProgress], None] | None = None,
) -> TuneSummary:
    """Run or resume all studies of one task.

    Args:
        task_name: Name of the task, and of the experiment in the tracker.
        task: What to learn.
        features: Feature tables by name, float32, rows in the order of ``labels``.
        labels: Labels with ``kernel``, ``curve``, ``disorder``, ``W`` and the target.
        tune: Families, feature sets and length of the search.
        split: What is held out; none of it reaches a study.
        tracker: Where runs are shown.
        storage: Folder of the study journal, unless `NMR_STUDY_STORAGE` names a database.
        datasets: The data sets behind the features; their digests are part of every study's identity.
        progress: Called after every trial.

    Raises:
        ConfigurationError: A feature set is not among ``features``.
        DataError: The rows cannot be split honestly or are too few.
        StudyError: Every trial of a study failed.
    """
    rows = task_rows(task, features, labels, split)
    with closing_storage(storage) as opened:
        studies = tuple(
            run_study(spec, opened, tracker, progress) for spec in study_plans(task_name, task, rows, tune, datasets)
        )
    return TuneSummary(
        task_name=task_name,
        task=task,
        disorder=rows.split.disorder,
        split_digest=rows.split.digest,
        split=split,
        tune=tune,
        n_train=int((~rows.split.in_test).sum()),
        studies=studies,
    )


def study_plans(
    task_name: str, task: Task, rows: TaskRows, tune: TuneSettings, datasets: Sequence[DatasetEntry] = ()
) -> Iterator[StudyPlan]:
    """The studies of one task, family by family on one feature table after the other.

    Args:
        task_name: Name of the task.
        task: What to learn.
        rows: Its rows; a study sees their training part only.
        tune: Families, feature sets and length of the search.
        datasets: The data sets behind the features.

    Raises:
        ConfigurationError: A feature set is not among the tables of ``rows``.
        DataError: The training part is too small for the folds.
    """
    names = tune.feature_sets or tuple(rows.tables)
    for name in names:
        if name not in rows.tables:
            message = f"Key `feature_sets` must name tables among {sorted(rows.tables)}, but names `{name}`."
            raise ConfigurationError(message, key="feature_sets", value=name)
    folds = make_folds(rows.training_part(names[0]), task, tune.cv_folds, tune.seed)
    for name in names:
        part = rows.training_part(name)
        for family in tune.families:
            yield StudyPlan(
                task_name, task, make_family(family, tune), name, part, folds, tune, datasets, rows.split.disorder
            )
