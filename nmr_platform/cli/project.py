"""`nmr init`: a project of its own in another folder; and `nmr code`, its first stage."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nmr_platform.cli.measured.infer import infer_options
from nmr_platform.cli.options import JsonOption, say
from nmr_platform.errors import ConfigurationError

if TYPE_CHECKING:
    from nmr_platform.exchange import Option
    from nmr_platform.project import Seen

__all__ = ["code", "init", "init_options"]

_GIVEN = ("phase", "offset", "scale")


def init(
    folder: Annotated[Path, typer.Argument(file_okay=False, help="Where to; by default this folder.")] = Path(),
    *,
    from_echo: Annotated[
        Path | None,
        typer.Option(help="A measured echo of any format of `nmr import`: the project simulates its experiment."),
    ] = None,
    experiment: Annotated[
        Path | None,
        typer.Option(
            help="YAML with the `sequence` of that echo; by default a Hahn echo with the delay that it shows."
        ),
    ] = None,
    as_json: JsonOption = False,
    **options: Any,
) -> None:
    """Lay down a project: params.yaml, dvc.yaml, MLproject and pipelines/, and what else a run needs.

    With `--from-echo`, time step (us), noise (units of M), dead time (us), line (MHz) and sequence are those that a
    measured echo shows; the options below say how it is read.

    Example: `nmr init mine`, then in it `dvc repro`; `nmr init mine --from-echo echo.csv --unit us --start 34`
    """
    from nmr_platform.project import WIDENED, lay_down, params_of, read_off  # noqa: PLC0415

    if from_echo is None and (experiment is not None or options):
        name = "experiment" if experiment is not None else next(iter(options)).replace("_", "-")
        message = f"Option `--{name}` says how an echo is read: give that by `--from-echo`."
        raise ConfigurationError(message, key=name)
    seen = params = None
    if from_echo is not None:
        from nmr_platform.inference.matched import Given, Setting  # noqa: PLC0415
        from nmr_platform.schema import read_value  # noqa: PLC0415

        given = Given(**{name: options.pop(name) for name in _GIVEN if name in options})
        setting = None if experiment is None else read_value(experiment, Setting)
        seen = read_off(from_echo, setting, given, **options)
        params = params_of(seen)
    laid = lay_down(folder, params)
    lines = [f"Laid down {len(laid.files)} files in {laid.folder.absolute()}."]
    lines += [] if seen is None else _said(seen, WIDENED)
    lines += (
        []
        if laid.has_git
        else [
            "No git repository is here: DVC runs without one, and models can be traced to no commit. After `git init`: "
            "`dvc config --local --unset core.no_scm`."
        ]
    )
    lines += ["`dvc repro` there runs the pipeline, with this environment active; params.yaml decides the results."]
    record = {"folder": str(laid.folder.absolute()), "files": [*laid.files], "git": laid.has_git}
    record |= {} if seen is None else {"experiment": seen.experiment, "warnings": seen.look.warnings}
    say("\n".join(lines), record, as_json=as_json)


def init_options() -> list["Option"]:
    """What the readers take."""
    return infer_options()


def code(
    folder: Annotated[
        Path, typer.Argument(file_okay=False, help="A project of `nmr init`; by default this folder.")
    ] = Path(),
) -> None:
    """Write the checksums of the installed code that each stage imports: the first stage of a project of `nmr init`.

    Example: `nmr code`, which `dvc repro` does
    """
    from nmr_platform.project import write_code  # noqa: PLC0415

    written = write_code(folder)
    typer.echo(f"Wrote {len(written)} files of checksums to {written[0].parent}.")


def _said(seen: "Seen", of_line: str) -> list[str]:
    """What was read off the echo, for people; ``of_line``: what is to be known of the width of the line."""
    shown = seen.look.experiment.sequence
    lines = [f"Sequence: {shown}" + (", guessed from the echo: `--experiment` says another." if seen.guessed else ".")]
    notes = {"line": f"; {of_line}"}
    lines += [f"  {name}: {each}{notes.get(name, '')}" for name, each in seen.look.estimates.items()]
    return lines + [f"Warning: {text}" for text in seen.look.warnings]
