"""`nmr tune`, for one task or for all, with any number of workers."""

import os
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
from nmr_platform.cli.running import opened, run
from nmr_platform.cli.tasks import AtOnceOption, BoardOption, Said, asked, cores, done
from nmr_platform.designed import designed_name

if TYPE_CHECKING:
    from nmr_platform.progress import Bar

__all__ = ["tune"]

# What a task on another machine must be told: where the study is, and where it is shown.
_SHARED = ("NMR_STUDY_STORAGE", "MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD")


def tune(
    task: TaskOption = "",
    params: ParamsOption = Path("params.yaml"),
    designed: DesignedOption = False,
    tracker: TrackerOption = TrackerKind.MLFLOW,
    workers: Annotated[int, typer.Option("--workers", min=1, max=1000, help="Processes that share the trials.")] = 1,
    scheduler: Annotated[
        str | None, typer.Option("--scheduler", help="Dask scheduler that runs the other workers, tcp://host:8786.")
    ] = None,
    at_once: AtOnceOption = None,
    helping: Annotated[bool, typer.Option("--helping", hidden=True)] = False,
    board: BoardOption = None,
    as_json: JsonOption = False,
) -> None:
    """Search models for one task, or for all without `--task`; finished trials are never repeated.

    Trials see the training curves only. The same command on another machine joins in, if `NMR_STUDY_STORAGE` names a
    database that both reach.

    Example: `nmr tune --task W --workers 4`
    """
    if helping:
        _help(task, params, tracker, workers, designed=designed)
        return
    tasks = [task] if task else asked(params, designed=designed)
    at_once = min(len(tasks), at_once or max(1, cores() // workers))
    options = ["--tracker", tracker.value, "--workers", str(workers), *(["--designed"] if designed else [])]

    def one(name: str, bar: "Bar") -> Said:
        from nmr_platform.stages.tune import TuneParams  # noqa: PLC0415
        from nmr_platform.stages.tune import tune as search  # noqa: PLC0415
        from nmr_platform.tracking import make_tracker  # noqa: PLC0415

        read, workspace = opened(params, TuneParams, designed=designed)
        recorder, shown_as = make_tracker(tracker, root=params.parent), designed_name(name) if designed else name
        read.task(shown_as)
        command = ["-m", "nmr_platform", "tune", "--task", name, "--params", str(params.absolute()), *options]
        with _helpers([*command, "--helping"], workers - 1, scheduler, params):
            summary = search(read, workspace, shown_as, recorder, workers=workers * at_once, bar=bar)
        best = summary.champion
        return Said(
            f"{shown_as}: best of {len(summary.studies)} studies is {best.label} with a cross-validated "
            f"{summary.task.metric} of {best.cv_mean:.3f}; tracking took {summary.tracking_share:.1%} of the time.",
            {"task": shown_as, "champion": best.label, "cv": best.cv_mean, "tracking_share": summary.tracking_share},
        )

    shared = [*options, "--params", str(params), *(["--scheduler", scheduler] if scheduler is not None else [])]
    for said in done("tune", tasks, one, shared, at_once, board):
        say(said.sentence, said.record, as_json=as_json)


def _help(task: str, params: Path, tracker: TrackerKind, workers: int, *, designed: bool) -> None:
    """Be one of the processes that share the trials of a task."""
    from nmr_platform.stages.tune import TuneParams, help_to_tune  # noqa: PLC0415
    from nmr_platform.tracking import make_tracker  # noqa: PLC0415

    read, workspace = opened(params, TuneParams, designed=designed)
    shown_as, recorder = designed_name(task) if designed else task, make_tracker(tracker, root=params.parent)
    help_to_tune(read, workspace, shown_as, recorder, workers=workers)


def _helpers(command: Sequence[str], number: int, scheduler: str | None, params: Path) -> AbstractContextManager[Any]:
    from nmr_platform.studies import helping_processes, helping_tasks  # noqa: PLC0415

    if number == 0:
        return nullcontext()
    if scheduler is None:
        return helping_processes(command, number)
    told = {name: os.environ[name] for name in _SHARED if name in os.environ}
    return helping_tasks(scheduler, command, number, told, str(params.absolute().parent))


if __name__ == "__main__":
    run(tune)
