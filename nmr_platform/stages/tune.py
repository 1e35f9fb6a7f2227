"""Stage `tune`: search models for one task."""

import joblib

from nmr_platform.designed import DESIGNED
from nmr_platform.errors import DataError
from nmr_platform.files import intact, read_json, write_json
from nmr_platform.learning import (
    MissingLibraryError,
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
from nmr_platform.progress import Bar, progress_bar
from nmr_platform.stages.features import FeatureTables, read_features
from nmr_platform.studies import closing_storage
from nmr_platform.tracking import DatasetEntry, Tracker
from nmr_platform.workspace import Workspace

__all__ = ["TuneParams", "help_to_tune", "read_tuned", "repeating", "threads_each", "tune"]


class TuneParams(TaskTable):
    """What the stage reads of params.yaml.

    Attributes:
        split: What is held out.
        tune: How models are searched.
    """

    split: SplitSettings
    tune: TuneSettings


def threads_each(n_jobs: int, workers: int) -> int:
    """Threads of each of some processes that share the cores; how many there are changes no result.

    Args:
        n_jobs: What is asked for; -1 for one per core.
        workers: How many processes.
    """
    return n_jobs if n_jobs != -1 or workers == 1 else max(1, joblib.cpu_count() // workers)


def tune(
    params: TuneParams, workspace: Workspace, task: str, tracker: Tracker, *, workers: int = 1, bar: Bar = progress_bar
) -> TuneSummary:
    """Run or continue every study of one task, with a progress bar, and write what they found.

    Args:
        params: What the stage reads of params.yaml.
        workspace: Where features and studies are, and where the summary is written.
        task: Name of the task.
        tracker: Where studies are shown.
        workers: Processes that share the cores, this one included.
        bar: Shows the progress.

    Raises:
        ConfigurationError: There is no such task.
        DataError: There are no feature tables, or they cannot be split honestly.
        StudyError: Every trial of a study failed.
    """
    chosen, features = params.task(task), read_features(workspace)
    studies = len(params.tune.families_for(chosen)) * len(params.tune.feature_sets or features.tables)
    shown: dict[str, int] = {}
    with bar(f"tune {task}", studies * params.tune.n_trials, "trials") as advance:

        def show(now: StudyProgress) -> None:
            # Trials of all who work on the study.
            advance(now.done - shown.get(now.study, 0))
            shown[now.study] = now.done

        summary = tune_task(
            task,
            chosen,
            features.tables,
            features.labels,
            tune=_shared(params, workers),
            split=params.split,
            tracker=tracker,
            storage=workspace.studies,
            datasets=_datasets(features, chosen),
            progress=show,
        ).replace(tune=params.tune)
    write_json(workspace.tuned(task), summary.to_dict())
    return summary


def help_to_tune(params: TuneParams, workspace: Workspace, task: str, tracker: Tracker, *, workers: int) -> None:
    """Run trials of one task's studies beside the process that tunes it, until there is nothing left to start.

    Args:
        params: What the stage reads of params.yaml.
        workspace: Where features and studies are.
        task: Name of the task.
        tracker: Where trials are shown.
        workers: Processes that share the cores, this one included.

    Raises:
        ConfigurationError: There is no such task.
        DataError: There are no feature tables, or they cannot be split honestly.
    """
    chosen, features = params.task(task), read_features(workspace)
    tables = task_rows(chosen, features.tables, features.labels, params.split)
    with closing_storage(workspace.studies) as storage:
        for plan in study_plans(task, chosen, tables, _shared(params, workers), _datasets(features, chosen)):
            help_study(plan, storage, tracker)


def _shared(params: TuneParams, workers: int) -> TuneSettings:
    return params.tune.replace(n_jobs=threads_each(params.tune.n_jobs, workers))


def _datasets(features: FeatureTables, task: Task) -> list[DatasetEntry]:
    return [entry for entry in features.datasets if entry.name in task.kernels]


def read_tuned(workspace: Workspace, task: str) -> TuneSummary:
    """Read what `tune` wrote.

    Args:
        workspace: Where it was written.
        task: Name of the task.

    Raises:
        DataError: It has not run yet, its file is damaged, or it tells of a family whose library is missing.
    """
    path, made_by = workspace.tuned(task), repeating("tune", task)
    content = read_json(path, made_by=made_by)
    with intact(path, made_by=made_by):
        try:
            summary = TuneSummary.from_dict(content)
        except MissingLibraryError as error:
            message = f"File `{path}` is of other families than are here: {error}"
            raise DataError(message, path=path) from error
        for study in summary.studies:
            # Families and their parameters are those of another version perhaps.
            summary.unfitted(study)
    return summary


def repeating(stage: str, task: str) -> str:
    """The command that makes what a stage says of a task again.

    Args:
        stage: The stage.
        task: Name of the task, which tells whether it is asked of the designed measurement.
    """
    return f"dvc repro {stage}_designed" if task.startswith(DESIGNED) else f"dvc repro {stage}"
