"""Tune one task: a study for every model family on every feature table, on the training part only."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from nmr_platform.errors import ConfigurationError
from nmr_platform.learning.families import make_family
from nmr_platform.learning.folds import make_folds
from nmr_platform.learning.records import TuneSummary
from nmr_platform.learning.rows import task_rows
from nmr_platform.learning.settings import SplitSettings, TuneSettings
from nmr_platform.learning.spec import StudySpec
from nmr_platform.learning.study import StudyProgress, run_study
from nmr_platform.learning.tasks import Task
from nmr_platform.studies.storage import open_storage
from nmr_platform.tracking.tracker import DatasetRecord, Tracker

__all__ = ["tune_task"]


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
    datasets: Sequence[DatasetRecord] = (),
    progress: Callable[[StudyProgress], None] | None = None,
    helping: bool = False,
) -> TuneSummary | None:
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
        helping: Only run trials beside another process that tunes the same task; return nothing.

    Raises:
        ConfigurationError: A feature set is not among ``features``.
        DataError: The rows cannot be split honestly or are too few.
        StudyError: Every trial of a study failed.
    """
    names = tune.feature_sets or tuple(features)
    for name in names:
        if name not in features:
            message = f"Key `feature_sets` must name tables among {sorted(features)}, but names `{name}`."
            raise ConfigurationError(message, key="feature_sets", value=name)
    rows = task_rows(task, features, labels, split)
    opened = open_storage(storage)
    folds = make_folds(rows.training_part(names[0]), task, tune.cv_folds, tune.seed)
    studies = []
    for name in names:
        part = rows.training_part(name)
        for family in tune.families:
            model = make_family(family, tune)
            spec = StudySpec(task_name, task, model, name, part, folds, tune, datasets, rows.split.disorder)
            studies.append(run_study(spec, opened, tracker, progress, helping=helping))
    found = tuple(study for study in studies if study is not None)
    if helping:
        return None
    return TuneSummary(
        task_name=task_name,
        task=task,
        disorder=rows.split.disorder,
        split_digest=rows.split.digest,
        split=split,
        tune=tune,
        n_train=int((~rows.split.in_test).sum()),
        studies=found,
    )
