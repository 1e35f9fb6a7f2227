"""What `evaluate` left of one task, and where its models stand among each other."""

from pathlib import Path
from typing import Any

import pandas as pd

from nmr_platform.checksums import require_checksums
from nmr_platform.files import intact, read_json
from nmr_platform.learning import Bootstrap, EvaluateSettings, Standing, Task, standings
from nmr_platform.stages.tune import read_tuned, repeating
from nmr_platform.studies import closing_storage, load_studies, settled_trials
from nmr_platform.workspace import Workspace

__all__ = ["read_checked", "read_predictions", "read_scores", "read_standings", "trial_seconds"]


def read_scores(workspace: Workspace, task: str) -> dict[str, Any]:
    """What `evaluate` wrote about one task, in plain data.

    Args:
        workspace: Where it was written.
        task: Name of the task.

    Raises:
        DataError: It has not run yet, or its file is damaged.
    """
    scores: dict[str, Any] = read_checked(workspace.evaluated(task) / "scores.json", repeating("evaluate", task))
    return scores


def read_predictions(workspace: Workspace, task: str, model: str) -> pd.DataFrame:
    """What one model says of the held-out curves: ``kernel``, ``curve``, ``disorder``, ``true``, ``predicted``, ...

    Args:
        workspace: Where it was written.
        task: Name of the task.
        model: Family and feature set, as the scores name it.

    Raises:
        DataError: It has not run yet, or its file is damaged.
    """
    path = workspace.evaluated(task) / model / "tables" / "predictions.csv"
    with intact(path, made_by=repeating("evaluate", task)):
        return pd.read_csv(path)


def read_standings(workspace: Workspace, name: str, task: Task, settings: EvaluateSettings) -> list[Standing]:
    """Where the models of one task stand, the largest held-out score first.

    Args:
        workspace: Where `evaluate` wrote.
        name: Name of the task.
        task: The task.
        settings: Resamples and level of the intervals.

    Raises:
        DataError: It has not run yet, or its files are damaged.
    """
    models = read_scores(workspace, name)["models"]
    bootstrap = Bootstrap(settings.n_resamples, settings.confidence, settings.seed)
    return standings(task, {label: read_predictions(workspace, name, label) for label in models}, bootstrap)


def trial_seconds(workspace: Workspace, task: str) -> dict[str, float]:
    """Duration in seconds of all trials together of each study of a task, by label of the study.

    Durations are in the study storage alone: what stages write is a pure function of code and parameters.

    Args:
        workspace: Where studies are.
        task: Name of the task.
    """
    with closing_storage(workspace.studies, reading=True) as storage:
        kept = {str(study.study_name): settled_trials(study) for study in load_studies(storage)}
    durations = {
        name: sum(trial.duration.total_seconds() for trial in trials if trial.duration is not None)
        for name, trials in kept.items()
    }
    return {
        study.label: durations[study.study_name]
        for study in read_tuned(workspace, task).studies
        if study.study_name in durations
    }


def read_checked(path: Path, made_by: str) -> Any:
    """A JSON file of a result's folder.

    Args:
        path: The file.
        made_by: The command that makes the result.

    Raises:
        DataError: It is not there, or the folder was changed.
    """
    if path.parent.exists():
        require_checksums(path.parent, what="Result", made_by=made_by)
    return read_json(path, made_by=made_by)
