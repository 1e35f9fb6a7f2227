"""Stage `tune`: search models for one task."""

import os

from nmr_platform.files import intact, read_json, write_json
from nmr_platform.learning import (
    SplitSettings,
    StudyProgress,
    Task,
    TaskTable,
    TuneSettings,
    TuneSummary,
    help_study,
    study_plans,
    task_rows,
    tune_task,
)
from nmr_platform.progress import progress_bar
from nmr_platform.stages.features import FeatureTables, read_features
from nmr_platform.studies import closing_storage
from nmr_platform.tracking import DatasetEntry, Tracker
from nmr_platform.workspace import Workspace

__all__ = ["TuneParams", "help_to_tune", "read_tuned", "tune"]


class TuneParams(TaskTable):
    """What the stage reads of params.yaml.

    Attributes:
        split: What is held out.
        tune: How models are searched.
    """

    split: SplitSettings
    tune: TuneSettings

    def shared_among(self, workers: int) -> "TuneParams":
        """The same with the cores shared among so many workers; how many a fit has changes no result."""
        if workers == 1 or self.tune.n_jobs != -1:
            return self
        each = max(1, (os.cpu_count() or 1) // workers)
        return self.replace(tune=self.tune.replace(n_jobs=each))


def tune(params: TuneParams, workspace: Workspace, task: str, tracker: Tracker) -> TuneSummary:
    """Run or continue every study of one task, with a progress bar, and write what they found.

    Args:
        params: What the stage reads of params.yaml.
        workspace: Where features and studies are, and where the summary is written.
        task: Name of the task.
        tracker: Where studies are shown.

    Raises:
        ConfigurationError: There is no such task.
        DataError: There are no feature tables, or they cannot be split honestly.
        StudyError: Every trial of a study failed.
    """
    chosen, features = params.task(task), read_features(workspace)
    studies = len(params.tune.families) * len(params.tune.feature_sets or features.tables)
    shown: dict[str, int] = {}
    with progress_bar(f"tune {task}", studies * params.tune.n_trials, "trials") as advance:

        def show(now: StudyProgress) -> None:
            # Trials of all who work on the study.
            advance(now.done - shown.get(now.study, 0))
            shown[now.study] = now.done

        summary = tune_task(
            task,
            chosen,
            features.tables,
            features.labels,
            tune=params.tune,
            split=params.split,
            tracker=tracker,
            storage=workspace.studies,
            datasets=_datasets(features, chosen),
            progress=show,
        )
    write_json(workspace.tuned(task), summary.to_dict())
    return summary


def help_to_tune(params: TuneParams, workspace: Workspace, task: str, tracker: Tracker) -> None:
    """Run trials of one task's studies beside the process that tunes it, until there is nothing left to start.

    Args:
        params: What the stage reads of params.yaml.
        workspace: Where features and studies are.
        task: Name of the task.
        tracker: Where trials are shown.

    Raises:
        ConfigurationError: There is no such task.
        DataError: There are no feature tables, or they cannot be split honestly.
    """
    chosen, features = params.task(task), read_features(workspace)
    tables = task_rows(chosen, features.tables, features.labels, params.split)
    with closing_storage(workspace.studies) as storage:
        for plan in study_plans(task, chosen, tables, params.tune, _datasets(features, chosen)):
            help_study(plan, storage, tracker)


def _datasets(features: FeatureTables, task: Task) -> list[DatasetEntry]:
    return [entry for entry in features.datasets if entry.name in task.kernels]


def read_tuned(workspace: Workspace, task: str) -> TuneSummary:
    """Read what `tune` wrote.

    Args:
        workspace: Where it was written.
        task: Name of the task.

    Raises:
        DataError: It has not run yet, or its file is damaged.
    """
    path, made_by = workspace.tuned(task), f"dvc repro tune@{task}"
    content = read_json(path, made_by=made_by)
    with intact(path, made_by=made_by):
        summary = TuneSummary.from_dict(content)
        for study in summary.studies:
            # Families and their parameters are those of another version perhaps.
            summary.unfitted(study)
    return summary
