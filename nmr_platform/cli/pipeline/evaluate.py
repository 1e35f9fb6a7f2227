"""`nmr evaluate`."""

from pathlib import Path

from nmr_platform.cli.options import (
    DesignedOption,
    JsonOption,
    ParamsOption,
    TaskOption,
    TrackerKind,
    TrackerOption,
    say,
)
from nmr_platform.cli.running import making, opened
from nmr_platform.designed import designed_name

__all__ = ["evaluate"]


def evaluate(
    task: TaskOption,
    params: ParamsOption = Path("params.yaml"),
    designed: DesignedOption = False,
    tracker: TrackerOption = TrackerKind.MLFLOW,
    as_json: JsonOption = False,
) -> None:
    """Score the tuned models of one task on held-out curves, draw them and register the champion.

    Example: `nmr evaluate --task kernel`
    """
    from nmr_platform.stages.evaluate import EvaluateParams  # noqa: PLC0415
    from nmr_platform.stages.evaluate import evaluate as run  # noqa: PLC0415
    from nmr_platform.tracking import make_tracker  # noqa: PLC0415

    read, workspace = opened(params, EvaluateParams, designed=designed)
    task = designed_name(task) if designed else task
    read.task(task)
    with making(workspace, workspace.evaluated(task)):
        result = run(read, workspace, task, make_tracker(tracker, root=params.parent))
    score = result.champion.scores[result.task.metric]
    say(
        f"{task}: {result.champion.study.label} scores {result.task.metric} {score.value:.3f} "
        f"[{score.lower:.3f}, {score.upper:.3f}] on {result.n_test} held-out curves ({result.disorder} disorder).",
        {"task": task, "champion": result.champion.study.label, **vars(score)},
        as_json=as_json,
    )
