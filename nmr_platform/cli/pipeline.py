"""The stages of the pipeline after the simulation as commands; DVC's stages call the same ones."""

from pathlib import Path
from typing import Annotated

import typer

from nmr_platform.cli.options import JsonOption, ParamsOption, TrackerKind, TrackerOption, say

__all__ = ["register"]

PARAMS = Path("params.yaml")
TaskOption = Annotated[str, typer.Option("--task", help="Name of a task in params.yaml.")]


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    app.command("features")(features)
    app.command("tune")(tune)
    app.command("evaluate")(evaluate)


def features(params: ParamsOption = PARAMS, as_json: JsonOption = False) -> None:
    """Extract every feature set of params.yaml from the simulated data.

    Example: `nmr features`
    """
    from nmr_platform import stages  # noqa: PLC0415
    from nmr_platform.config import read_params  # noqa: PLC0415

    made = stages.extract_features(read_params(params), stages.Workspace(params.parent))
    widths = {name: table.shape[1] for name, table in made.tables.items()}
    shown = ", ".join(f"{name} ({width})" for name, width in widths.items())
    say(f"{len(made.labels)} curves: {shown}.", {"curves": len(made.labels), "columns": widths}, as_json=as_json)


def tune(
    task: TaskOption,
    params: ParamsOption = PARAMS,
    tracker: TrackerOption = TrackerKind.MLFLOW,
    as_json: JsonOption = False,
) -> None:
    """Search models for one task on the training curves; finished trials are never repeated.

    Example: `nmr tune --task W`
    """
    from nmr_platform import stages  # noqa: PLC0415
    from nmr_platform.config import read_params  # noqa: PLC0415
    from nmr_platform.tracking import make_tracker  # noqa: PLC0415

    summary = stages.tune(
        read_params(params), stages.Workspace(params.parent), task, make_tracker(tracker, root=params.parent)
    )
    best = summary.champion
    say(
        f"{task}: best of {len(summary.studies)} studies is {best.label} with a cross-validated "
        f"{summary.task.metric} of {best.cv_mean:.3f}; tracking took {summary.tracking_share:.1%} of the time.",
        {"task": task, "champion": best.label, "cv": best.cv_mean, "tracking_share": summary.tracking_share},
        as_json=as_json,
    )


def evaluate(
    task: TaskOption,
    params: ParamsOption = PARAMS,
    tracker: TrackerOption = TrackerKind.MLFLOW,
    as_json: JsonOption = False,
) -> None:
    """Score the tuned models of one task on held-out curves, draw them and register the champion.

    Example: `nmr evaluate --task kernel`
    """
    from nmr_platform import stages  # noqa: PLC0415
    from nmr_platform.config import read_params  # noqa: PLC0415
    from nmr_platform.tracking import make_tracker  # noqa: PLC0415

    result = stages.evaluate(
        read_params(params), stages.Workspace(params.parent), task, make_tracker(tracker, root=params.parent)
    )
    score = result.champion.scores[result.task.metric]
    say(
        f"{task}: {result.champion.study.label} scores {result.task.metric} {score.value:.3f} "
        f"[{score.lower:.3f}, {score.upper:.3f}] on {result.n_test} held-out curves ({result.disorder} disorder).",
        {"task": task, "champion": result.champion.study.label, **vars(score)},
        as_json=as_json,
    )
