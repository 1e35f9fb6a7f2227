"""The `nmr` command: one sub-command a stage, and others for experiments, files and results."""

from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from nmr_platform import __version__
from nmr_platform.cli.exchange import export, export_options, import_, import_options
from nmr_platform.cli.explore import explore, explore_options
from nmr_platform.cli.format_options import add_command
from nmr_platform.cli.leaderboard import leaderboard
from nmr_platform.cli.measured.infer import infer, infer_options
from nmr_platform.cli.measured.next import next_
from nmr_platform.cli.measured.predict import predict, predict_options
from nmr_platform.cli.pipeline.ceiling import ceiling
from nmr_platform.cli.pipeline.compare_disorder import compare_disorder
from nmr_platform.cli.pipeline.evaluate import evaluate
from nmr_platform.cli.pipeline.features import features
from nmr_platform.cli.pipeline.generate import generate
from nmr_platform.cli.pipeline.optimise_pulses import optimise_pulses
from nmr_platform.cli.pipeline.report import report
from nmr_platform.cli.pipeline.tune import tune
from nmr_platform.cli.project import code, init, init_options
from nmr_platform.cli.running import run
from nmr_platform.cli.simulate import export_sequence, simulate
from nmr_platform.cli.track import studies, track
from nmr_platform.cli.ui import ui

__all__ = ["app", "main"]

app = typer.Typer(
    name="nmr",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _say_version(asked: bool) -> None:
    if asked:
        typer.echo(f"nmr_platform {__version__}")
        raise typer.Exit


@app.callback()
def _of_all_commands(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_say_version, is_eager=True)
    ] = False,
) -> None:
    """Simulate nuclear spin echoes, learn the electronic coupling from them, and search for better pulses."""


def _of_a_sound_project(command: Callable[..., None]) -> Callable[..., None]:
    """Let a stage begin only if all of the parameter file is sound, and not just the sections that it reads.

    DVC runs the stages without this, for a stage must not depend on the code of those that come after it.
    """

    @wraps(command)
    def sound(**options: Any) -> None:
        path: Path = options["params"]
        if path.exists() and not options.get("where"):
            from nmr_platform.config import read_params  # noqa: PLC0415

            read_params(path)
        command(**options)

    return sound


add_command(app, "init", init, init_options)
app.command("simulate")(simulate)
app.command("generate")(_of_a_sound_project(generate))
add_command(app, "export", export, export_options)
add_command(app, "import", import_, import_options)
app.command("features")(_of_a_sound_project(features))
app.command("evaluate")(_of_a_sound_project(evaluate))
app.command("ceiling")(_of_a_sound_project(ceiling))
app.command("compare-disorder")(_of_a_sound_project(compare_disorder))
app.command("optimise-pulses")(_of_a_sound_project(optimise_pulses))
app.command("export-sequence")(export_sequence)
add_command(app, "predict", predict, predict_options)
add_command(app, "explore", explore, explore_options)
add_command(app, "infer", infer, infer_options)
app.command("next")(next_)
app.command("tune")(_of_a_sound_project(tune))
app.command("studies")(studies)
app.add_typer(track, name="track")
app.command("report")(_of_a_sound_project(report))
app.command("leaderboard")(leaderboard)
app.command("ui")(ui)
app.command("code")(code)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command with ``arguments`` and end the process, see `running.run`."""
    run(app, arguments)
