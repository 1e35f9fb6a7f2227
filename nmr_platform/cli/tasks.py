"""All tasks of a stage, several at a time: each of some processes takes the next task that nobody has."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nmr_platform.designed import DesignedSettings
from nmr_platform.errors import NmrPlatformError
from nmr_platform.files import explain_refusal
from nmr_platform.processes import end_process, start_kept
from nmr_platform.progress import Advance, no_progress, progress_bar
from nmr_platform.schema import Name, Schema, read_sections

if TYPE_CHECKING:
    # For type checkers only: whoever hands out tasks does none, and need not wait for what does.
    from nmr_platform.progress import Bar

__all__ = ["AtOnceOption", "BoardOption", "Said", "TaskError", "asked", "cores", "done"]

AtOnceOption = Annotated[
    int | None,
    typer.Option("--at-once", min=1, max=1000, help="Tasks at a time, without --task; one per core by default."),
]
BoardOption = Annotated[Path | None, typer.Option("--board", hidden=True)]

_POLL_SECONDS = 0.2


class TaskError(NmrPlatformError):
    """A task failed in the process that worked on it."""


class _Tasks(Schema):
    tasks: dict[Name, Any]


class _Designed(Schema):
    designed: DesignedSettings


@dataclass(frozen=True)
class Said:
    """What came of a task.

    Attributes:
        sentence: For a person.
        record: For a program.
    """

    sentence: str
    record: Mapping[str, Any]


@dataclass(frozen=True)
class _Taken:
    """A task on the board, a folder that several processes share: whoever takes it makes a file of its name.

    Into the file goes how far the task is, and then what came of it.

    Attributes:
        path: The file.
    """

    path: Path

    @contextmanager
    def bar(self, _: str, total: int, unit: str) -> Iterator[Advance]:
        """Stands for `progress_bar` where another process shows the progress."""
        done = 0

        def advance(number: int) -> None:
            nonlocal done
            done += number
            self.write(done=done, total=total, unit=unit)

        advance(0)
        yield advance

    def write(self, **facts: object) -> None:
        """Add some facts, as a line of JSON."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(facts) + "\n")

    def read(self) -> dict[str, Any]:
        """How far it is, and what came of it if it is over; nothing of a task that nobody has taken."""
        lines = self.path.read_text(encoding="utf-8").split("\n")[:-1] if self.path.exists() else []
        # What came of it is told last, and how far it was just before.
        return {name: fact for line in lines[-2:] for name, fact in json.loads(line).items()}


def cores() -> int:
    """How many cores this process may use."""
    import joblib  # noqa: PLC0415 it imports NumPy

    return int(joblib.cpu_count())


def asked(params: Path, *, designed: bool) -> Sequence[str]:
    """The tasks of a parameter file.

    Args:
        params: The file.
        designed: Whether those that are asked of the designed measurement.

    Raises:
        ConfigurationError: The file is missing, or does not list them.
    """
    if designed:
        return read_sections(params, _Designed).designed.tasks
    return list(read_sections(params, _Tasks).tasks)


def done(
    command: str,
    tasks: Sequence[str],
    one: "Callable[[str, Bar], Said]",
    options: Sequence[str],
    at_once: int,
    board: Path | None,
) -> Iterator[Said]:
    """Do some tasks, here if it is one, else in processes of their own; give what came of each, in order.

    Those processes are new interpreters, which end with this one, however that ends, and share one progress bar. After
    a failure none begins another task; what is finished by then is kept, and told of.

    Args:
        command: Name of the command, a module of `cli.pipeline`.
        tasks: Names of the tasks.
        one: Does the task of a name.
        options: Of the command.
        at_once: How many processes.
        board: Given to those processes: where they say which tasks they have taken, and what came of them.

    Raises:
        TaskError: A task failed in a process of its own.
    """
    if board is not None:
        _take_all(board, tasks, one)
    elif len(tasks) == 1:
        yield one(tasks[0], progress_bar)
    else:
        yield from _done_elsewhere(command, tasks, options, at_once)


def _take_all(board: Path, tasks: Sequence[str], one: "Callable[[str, Bar], Said]") -> None:
    """Do one task after the other that no other process has taken, until none is left or one fails."""
    for task in tasks:
        taken = _Taken(board / task)
        try:
            taken.path.touch(exist_ok=False)
        except FileExistsError:
            continue
        try:
            taken.write(**asdict(one(task, taken.bar)))
        except (NmrPlatformError, OSError) as error:
            sentence = explain_refusal(error) if isinstance(error, OSError) else str(error)
            if not sentence:
                raise
            taken.write(error=sentence)
            return
        except KeyboardInterrupt:
            # Whoever asked for all tasks tells of it.
            return


def _done_elsewhere(command: str, tasks: Sequence[str], options: Sequence[str], at_once: int) -> Iterator[Said]:
    """Have so many processes of the command take the tasks."""
    with TemporaryDirectory() as folder:
        taken = [_Taken(Path(folder) / task) for task in tasks]
        run = [sys.executable, "-m", f"nmr_platform.cli.pipeline.{command}", *options]
        run += ["--at-once", str(at_once), "--board", folder]
        processes = [start_kept(run) for _ in range(at_once)]
        try:
            _watch(processes, taken, f"{command} {len(tasks)} tasks")
        finally:
            with ThreadPoolExecutor(len(processes)) as threads:
                # Each may take a while to give back what it is at.
                list(threads.map(end_process, processes))
        found = [each.read() for each in taken]
    yield from (Said(facts["sentence"], facts["record"]) for facts in found if "sentence" in facts)
    for facts in found:
        if "error" in facts:
            raise TaskError(facts["error"])
    for task, facts in zip(tasks, found, strict=True):
        if "sentence" not in facts:
            code = next((process.returncode for process in processes if process.returncode), 0)
            message = (
                f"Task `{task}` is not done, for a process that was at its tasks ended with exit code {code}; the same "
                "command does what is missing."
            )
            raise TaskError(message)


def _watch(processes: Sequence[subprocess.Popen[bytes]], taken: Sequence[_Taken], title: str) -> None:
    """Show how far all tasks are until all processes have ended, and let none begin another task after a failure."""
    advance: Advance = no_progress
    codes, shown = [process.poll() for process in processes], 0
    with ExitStack() as stack:
        while None in codes:
            time.sleep(_POLL_SECONDS)
            codes = [process.poll() for process in processes]
            found = [each.read() for each in taken]
            known = [facts for facts in found if "total" in facts]
            if known and advance is no_progress:
                # All are as long, for they are asked in the same way.
                bar = progress_bar(title, known[0]["total"] * len(taken), known[0]["unit"])
                advance = stack.enter_context(bar)
            now = sum(facts["done"] for facts in known)
            advance(now - shown)
            shown = now
            if any(codes) or any("error" in facts for facts in found):
                for each in taken:
                    each.path.touch()
