"""Run a command and end the process as a shell expects it."""

import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

import typer
from rich.console import Console

from nmr_platform.designed import read_designed_sections
from nmr_platform.errors import NmrPlatformError
from nmr_platform.files import alone, explain_refusal
from nmr_platform.schema import Schema, read_sections
from nmr_platform.workspace import Workspace

__all__ = ["making", "opened", "run"]

S = TypeVar("S", bound=Schema)

_INTERRUPTED = 130
# Seconds after which an interrupt comes again that came where nothing can be raised.
_SOON = 0.01


def run(command: typer.Typer | Callable[..., None], arguments: Sequence[str] | None = None) -> None:
    """Run ``command`` and end: 0 if all went well, 2 with one sentence on bad input, 130 on Ctrl-C.

    SIGTERM and SIGHUP do what Ctrl-C does: a trial in progress is given back, helpers end, runs are closed.

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
    signals: list[int] = []
    try:
        with warnings.catch_warnings(), _interrupted_by(signals, signal.SIGTERM, signal.SIGHUP):
            warnings.showwarning = warn
            _application(command)(arguments)
    except (NmrPlatformError, OSError) as error:
        # A file system may refuse anything at any moment, in libraries too.
        sentence = explain_refusal(error) if isinstance(error, OSError) else str(error)
        if not sentence:
            raise
        console.print("[bold red]Error:[/] ", end="")
        console.print(sentence, markup=False, highlight=False)
        sys.exit(2)
    except SystemExit as end:
        # Typer catches Ctrl-C inside a command, and ends with this code and no word.
        if end.code == _INTERRUPTED:
            console.print("Interrupted; the same command continues where this one stopped.")
            sys.exit(128 + signals[0] if signals else _INTERRUPTED)
        raise


def opened(params: Path, model: type[S], *, designed: bool = False) -> tuple[S, Workspace]:
    """What a stage reads of a parameter file, and the project that it belongs to.

    Args:
        params: The file, in the project's folder.
        model: The sections.
        designed: Whether they, and data and features, are those of the designed measurement.

    Raises:
        ConfigurationError: The file is missing, or holds something that is not acceptable.
    """
    read = read_designed_sections(params, model) if designed else read_sections(params, model)
    return read, Workspace(params.parent, is_designed=designed)


@contextmanager
def making(workspace: Workspace, path: Path) -> Iterator[None]:
    """Refuse the block to all but one process of those that would make the same file or folder.

    Args:
        workspace: The project.
        path: What is made.

    Raises:
        DataError: Another process is at it, or this user must not write here.
    """
    with alone(workspace.lock(path), f"`{path}`"):
        yield


@contextmanager
def _interrupted_by(received: list[int], *numbers: signal.Signals) -> Iterator[None]:
    """Let signals that would end the process without a word interrupt the block as Ctrl-C does.

    Args:
        received: Gets the number of the one that came; those that come after it are not heard.
        numbers: Which signals; one that is ignored, as `nohup` has it, or heard by others stays so.
    """

    def interrupt(number: int, _: FrameType | None) -> None:
        if not received:
            received.append(number)
            raise KeyboardInterrupt

    def come_again(unraisable: "sys.UnraisableHookArgs") -> None:
        """In a callback of the garbage collector nothing can be raised: Python prints an interrupt, and forgets it."""
        if unraisable.exc_type is not KeyboardInterrupt:
            told_by_python(unraisable)
            return
        number = received.pop() if received else signal.SIGINT
        threading.Timer(_SOON, os.kill, (os.getpid(), number)).start()

    told_by_python, sys.unraisablehook = sys.unraisablehook, come_again
    ours = threading.current_thread() is threading.main_thread()
    heard = [number for number in numbers if ours and signal.getsignal(number) is signal.SIG_DFL]
    for number in heard:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        sys.unraisablehook = told_by_python
        for number in heard:
            signal.signal(number, signal.SIG_DFL)


def _application(command: typer.Typer | Callable[..., None]) -> typer.Typer:
    if isinstance(command, typer.Typer):
        return command
    application = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    application.command()(command)
    return application
