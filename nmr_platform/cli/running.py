"""Run a command and end the process as a shell expects it."""

import os
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import typer
from rich.console import Console

from nmr_platform.errors import NmrPlatformError

__all__ = ["run"]

_INTERRUPTED = 130


def run(command: typer.Typer | Callable[..., None], arguments: Sequence[str] | None = None) -> None:
    """Run ``command`` and end: 0 if all went well, 2 with one sentence on bad input, 130 on Ctrl-C.

    Args:
        command: An application, or the function of a single command.
        arguments: What follows the command's name; of this process by default.
    """
    # XGBoost's threads otherwise wait for each other in busy loops: with anything else on the cores, a fit then takes
    # ten times as long. It is read when XGBoost is loaded; whoever sets it outside keeps what was set.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    console = Console(stderr=True, soft_wrap=True)

    told: set[type[Warning]] = set()

    def warn(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
        """A sentence of ours needs no line of code beside it, and a data set of a million curves needs it once."""
        if category in told:
            return
        if getattr(category, "once_a_command", False):
            told.add(category)
        if category.__module__.startswith("nmr_platform."):
            console.print("[bold yellow]Warning:[/] ", end="")
            console.print(str(message), markup=False, highlight=False)
        else:
            shown_by_python(message, category, *where, **more)

    shown_by_python = warnings.showwarning
    try:
        with warnings.catch_warnings():
            warnings.showwarning = warn
            _application(command)(arguments)
    except NmrPlatformError as error:
        console.print("[bold red]Error:[/] ", end="")
        console.print(str(error), markup=False, highlight=False)
        sys.exit(2)
    except SystemExit as end:
        # Typer catches Ctrl-C inside a command, and ends with this code and no word.
        if end.code == _INTERRUPTED:
            console.print("Interrupted; the same command continues where this one stopped.")
        raise


def _application(command: typer.Typer | Callable[..., None]) -> typer.Typer:
    if isinstance(command, typer.Typer):
        return command
    application = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    application.command()(command)
    return application
