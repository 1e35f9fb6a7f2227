"""Every published number beside ours, with the time that our search took."""

from typing import TYPE_CHECKING

from nmr_platform.reporting import PUBLISHED, ComparisonRow, compare_published
from nmr_platform.stages.report import read_disorder, read_scores
from nmr_platform.stages.tune import read_tuned
from nmr_platform.studies import closing_storage, load_studies, settled_trials
from nmr_platform.workspace import Workspace

if TYPE_CHECKING:
    from nmr_platform.stages.report import ReportParams

__all__ = ["compare_with_published"]


def compare_with_published(params: "ReportParams", workspace: Workspace) -> list[tuple[ComparisonRow, float | None]]:
    """Every published number with ours, and the duration in seconds of all trials behind ours.

    Durations are in the study storage alone: the report's own files are a pure function of code and parameters. None
    where there was no search, or where its study is elsewhere.

    Args:
        params: What the stage `report` reads of params.yaml.
        workspace: Where scores and studies are.

    Raises:
        DataError: A stage before has not run yet.
    """
    scores = {name: read_scores(workspace, name) for name in params.tasks}
    seconds = {key: value for task in params.tasks for key, value in _search_seconds(workspace, task).items()}
    rows = compare_published(PUBLISHED, scores, read_disorder(workspace))
    return [(row, seconds.get((row.item.task, row.model))) for row in rows]


def _search_seconds(workspace: Workspace, task: str) -> dict[tuple[str, str], float]:
    """Duration of all trials of each study of a task, by task and label of the study."""
    with closing_storage(workspace.studies) as storage:
        kept = {str(study.study_name): settled_trials(study) for study in load_studies(storage)}
    durations = {
        name: sum(trial.duration.total_seconds() for trial in trials if trial.duration is not None)
        for name, trials in kept.items()
    }
    return {
        (task, study.label): durations[study.study_name]
        for study in read_tuned(workspace, task).studies
        if study.study_name in durations
    }
