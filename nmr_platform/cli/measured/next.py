"""`nmr next`: which sequence to run next, given what has been measured."""

from pathlib import Path
from typing import Annotated

import typer

from nmr_platform.cli.options import JsonOption, TrackerKind, TrackerOption, say
from nmr_platform.cli.running import making

__all__ = ["next_"]


def next_(
    answer: Annotated[Path, typer.Argument(help="Folder that `nmr infer` wrote for a file.")],
    experiment: Annotated[
        Path, typer.Option("--experiment", help="YAML of the measured experiment, as for `nmr infer`.")
    ],
    parameter: Annotated[str, typer.Option(help="What to learn more of: W, X, Z, xi, exponent or kernel.")],
    *,
    time: Annotated[float, typer.Option(min=1.0, max=1e6, help="Longest duration of the sequence, us.")] = 300.0,
    prior: Annotated[Path | None, typer.Option(help="YAML of distributions, as for `nmr infer`.")] = None,
    n_trials: Annotated[int, typer.Option(min=1, max=1_000_000, help="Sequences to try, 90/180 first.")] = 24,
    out: Annotated[Path, typer.Option(file_okay=False, help="Folder to write to, one folder a parameter.")] = Path(
        "next"
    ),
    tracker: TrackerOption = TrackerKind.MLFLOW,
    as_json: JsonOption = False,
) -> None:
    """Search the sequence that narrows a parameter most, among those that what was measured leaves possible.

    The winner is written as YAML for `nmr simulate`, as a table and as shaped pulses; the search is kept and shown as
    that of `nmr optimise-pulses`.

    Example: `nmr next inferred/echo.csv --experiment hahn.yaml --parameter xi --time 400`
    """
    from nmr_platform.inference.matched import Setting, priors_of  # noqa: PLC0415
    from nmr_platform.schema import read_value  # noqa: PLC0415
    from nmr_platform.stages.measured.next_sequence import Following, open_after, search_for  # noqa: PLC0415
    from nmr_platform.stages.pulses.optimise import optimise  # noqa: PLC0415
    from nmr_platform.tracking import make_tracker  # noqa: PLC0415
    from nmr_platform.workspace import Workspace  # noqa: PLC0415

    left, here = open_after(answer), Path.cwd()
    priors = priors_of(left.kernels, prior)
    recipes, settings = search_for(
        parameter, left, read_value(experiment, Setting), priors, time=time, n_trials=n_trials
    )
    workspace, folder = Workspace(here), out / parameter
    with making(workspace, folder):
        found = optimise(recipes, settings, workspace, folder, make_tracker(tracker, root=here))
    following = Following(parameter, left.known.get(parameter), found.search.best, found.verdict.of(parameter), folder)
    say(str(following), following.to_dict(), as_json=as_json)
