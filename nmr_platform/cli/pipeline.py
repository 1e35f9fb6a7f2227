"""The stages of the pipeline after the simulation as commands; DVC's stages call the same ones."""

from pathlib import Path

import typer

from nmr_platform.cli.options import JsonOption, ParamsOption, TaskOption, TrackerKind, TrackerOption, say

__all__ = ["register"]

PARAMS = Path("params.yaml")


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    app.command("features")(features)
    app.command("evaluate")(evaluate)
    app.command("compare-disorder")(compare_disorder)


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


def compare_disorder(params: ParamsOption = PARAMS, as_json: JsonOption = False) -> None:
    """Train on frozen and on fresh disorder and test on both: what reads the coupling, and what one realisation?

    Example: `nmr compare-disorder`
    """
    from nmr_platform import stages  # noqa: PLC0415
    from nmr_platform.config import read_params  # noqa: PLC0415

    table = stages.compare_disorder(read_params(params), stages.Workspace(params.parent))
    lines = [
        f"{row.task}: R2 {row.value:.3f} [{row.lower:.3f}, {row.upper:.3f}] trained on {row.trained_on}, tested on "
        f"{row.tested_on} disorder ({row.n_train} and {row.n_test} curves)"
        for row in table.itertuples()
    ]
    say("\n".join(lines), {"scores": table.to_dict("records")}, as_json=as_json)
