"""The `nmr` command: one sub-command a stage, and `simulate` for a single experiment."""

import sys
import warnings
from collections.abc import Sequence
from typing import Any

import typer
from rich.console import Console

from nmr_platform.cli import exchange, generate, pipeline, predict, pulses, simulate, track, tune, view
from nmr_platform.errors import NmrPlatformError

__all__ = ["app", "main"]

_INTERRUPTED = 130

app = typer.Typer(
    name="nmr",
    help="Simulate nuclear spin echoes, learn the electronic coupling from them, and search for better pulses.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
simulate.register(app)
generate.register(app)
exchange.register(app)
pipeline.register(app)
pulses.register(app)
predict.register(app)
tune.register(app)
track.register(app)
view.register(app)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and end the process: 0 if all went well, 2 with one sentence on bad input, 130 on Ctrl-C."""
    console = Console(stderr=True, soft_wrap=True)

    def warn(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
        """A sentence of ours needs no line of code beside it."""
        if category.__module__.startswith("nmr_platform."):
            console.print("[bold yellow]Warning:[/] ", end="")
            console.print(str(message), markup=False, highlight=False)
        else:
            shown_by_python(message, category, *where, **more)

    shown_by_python = warnings.showwarning
    try:
        with warnings.catch_warnings():
            warnings.showwarning = warn
            app(arguments)
    except NmrPlatformError as error:
        console.print("[bold red]Error:[/] ", end="")
        console.print(str(error), markup=False, highlight=False)
        sys.exit(2)
    except SystemExit as end:
        # Typer catches Ctrl-C inside a command, and ends with this code and no word.
        if end.code == _INTERRUPTED:
            console.print("Interrupted; the same command continues where this one stopped.")
        raise
