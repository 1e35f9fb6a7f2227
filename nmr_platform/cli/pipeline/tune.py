"""`nmr tune`, with any number of workers."""

import os
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from nmr_platform.cli.options import (
    DesignedOption,
    JsonOption,
    ParamsOption,
    TaskOption,
    TrackerKind,
    TrackerOption,
    say,
)
from nmr_platform.cli.running import opened
from nmr_platform.designed import designed_name

__all__ = ["tune"]

# What a task on another machine must be told: where the study is, and where it is shown.
_SHARED = ("NMR_STUDY_STORAGE", "MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD")


def tune(
    task: TaskOption,
    params: ParamsOption = Path("params.yaml"),
    designed: DesignedOption = False,
    tracker: TrackerOption = TrackerKind.MLFLOW,
    workers: Annotated[int, typer.Option("--workers", min=1, max=1000, help="Processes that share the trials.")] = 1,
    scheduler: Annotated[
        str | None, typer.Option("--scheduler", help="Dask scheduler that runs the other workers, tcp://host:8786.")
    ] = None,
    helping: Annotated[bool, typer.Option("--helping", hidden=True)] = False,
    as_json: JsonOption = False,
) -> None:
    """Search models for one task on the training curves; finished trials are never repeated.

    The same command on another machine joins in, if `NMR_STUDY_STORAGE` names a database that both reach.

    Example: `nmr tune --task W --workers 4`
    """
    from nmr_platform.stages.tune import TuneParams, help_to_tune  # noqa: PLC0415
    from nmr_platform.stages.tune import tune as run  # noqa: PLC0415
    from nmr_platform.studies import helping_processes, helping_tasks  # noqa: PLC0415
    from nmr_platform.tracking import make_tracker  # noqa: PLC0415

    command = ["-m", "nmr_platform", "tune", "--task", task, "--params", str(params.absolute())]
    command += ["--designed"] if designed else []
    read, workspace = opened(params, TuneParams, designed=designed)
    read, recorder = read.shared_among(workers), make_tracker(tracker, root=params.parent)
    task = designed_name(task) if designed else task
    if helping:
        help_to_tune(read, workspace, task, recorder)
        return
    read.task(task)
    command += ["--tracker", tracker.value, "--workers", str(workers), "--helping"]
    with ExitStack() as stack:
        if scheduler is not None and workers > 1:
            told = {name: os.environ[name] for name in _SHARED if name in os.environ}
            stack.enter_context(helping_tasks(scheduler, command, workers - 1, told, str(params.absolute().parent)))
        elif workers > 1:
            stack.enter_context(helping_processes(command, workers - 1))
        summary = run(read, workspace, task, recorder)
    best = summary.champion
    say(
        f"{task}: best of {len(summary.studies)} studies is {best.label} with a cross-validated "
        f"{summary.task.metric} of {best.cv_mean:.3f}; tracking took {summary.tracking_share:.1%} of the time.",
        {"task": task, "champion": best.label, "cv": best.cv_mean, "tracking_share": summary.tracking_share},
        as_json=as_json,
    )
