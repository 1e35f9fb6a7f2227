"""Every published number beside ours, with the time that our search took."""

from typing import TYPE_CHECKING

from nmr_platform.reporting import PUBLISHED, ComparisonRow, compare_published
from nmr_platform.stages.report import read_disorder
from nmr_platform.stages.standing import read_scores, trial_seconds
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
    seconds = {task: trial_seconds(workspace, task) for task in params.tasks}
    rows = compare_published(PUBLISHED, scores, read_disorder(workspace))
    return [(row, seconds.get(row.item.task, {}).get(row.model)) for row in rows]
