"""`nmr optimise-pulses`, with any number of workers."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from nmr_platform.cli.options import JsonOption, ParamsOption, TrackerKind, TrackerOption, say
from nmr_platform.cli.running import making

__all__ = ["optimise_pulses"]


def optimise_pulses(
    params: ParamsOption = Path("params.yaml"),
    preset: Annotated[
        str | None,
        typer.Option(
            help="Run a larger search (august2021, pair2021, structure2021) instead of the one in params.yaml."
        ),
    ] = None,
    n_trials: Annotated[int | None, typer.Option(min=1, max=1_000_000, help="Sequences to try, with --preset.")] = None,
    timeout: Annotated[float | None, typer.Option(min=0.0, help="Start none after so many s, with --preset.")] = None,
    out: Annotated[Path | None, typer.Option(file_okay=False, help="Folder to write to, with --preset.")] = None,
    workers: Annotated[int, typer.Option("--workers", min=1, max=1000, help="Processes that share the sequences.")] = 1,
    helping: Annotated[bool, typer.Option("--helping", hidden=True)] = False,
    tracker: TrackerOption = TrackerKind.MLFLOW,
    as_json: JsonOption = False,
) -> None:
    """Search for pulse sequences whose echoes reveal the coupling better than 90/180 (angles in degrees, times in us).

    Example: `nmr optimise-pulses` or `nmr optimise-pulses --preset august2021 --timeout 1800`
    """
    from nmr_platform.errors import ConfigurationError  # noqa: PLC0415
    from nmr_platform.pulse_design import read_search  # noqa: PLC0415
    from nmr_platform.schema import read_sections  # noqa: PLC0415
    from nmr_platform.stages.pulses import optimise as stage  # noqa: PLC0415
    from nmr_platform.studies import helping_processes  # noqa: PLC0415
    from nmr_platform.tracking import make_tracker  # noqa: PLC0415
    from nmr_platform.workspace import Workspace  # noqa: PLC0415

    changes = {name: value for name, value in {"n_trials": n_trials, "timeout": timeout}.items() if value is not None}
    workspace, recorder = Workspace(params.parent), make_tracker(tracker, root=params.parent)
    if preset is None:
        if changes or out is not None:
            message = (
                "Options --n-trials, --timeout and --out belong to --preset; params.yaml decides the search without."
            )
            raise ConfigurationError(message, key="preset")
        read = read_sections(params, stage.PulseParams)
        data, settings = read.data, read.pulse_search
        run = partial(stage.optimise_pulses, read, workspace, recorder)
    else:
        data, settings = read_search(preset)
        settings = settings.replace(**changes)
        run = partial(stage.optimise_preset, preset, workspace, recorder, out=out, changes=changes)
    if helping:
        stage.help_to_optimise(data, settings, workspace, recorder)
        return
    command = ["-m", "nmr_platform", "optimise-pulses", "--params", str(params.absolute()), "--tracker", tracker.value]
    command += [text for name, value in changes.items() for text in (f"--{name.replace('_', '-')}", str(value))]
    command += ["--preset", preset] if preset is not None else []
    made = out or (workspace.pulses if preset is None else workspace.pulses.with_name(f"pulses-{preset}"))
    with making(workspace, made), helping_processes([*command, "--helping"], workers - 1):
        outcome = run()
    say(str(outcome), outcome.to_dict(), as_json=as_json)
