"""Progress bars with rates, on standard error."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from nmr_platform.errors import NmrPlatformError

__all__ = ["Advance", "Bar", "no_bar", "no_progress", "progress_bar"]

Advance = Callable[[int], None]
"""Called with the number of items just finished."""

Bar = Callable[[str, int, str], AbstractContextManager[Advance]]
"""Makes a progress bar of a description, a number of items and their unit, see `progress_bar`."""


def no_progress(_: int) -> None:
    """The silent progress bar."""


@contextmanager
def no_bar(_what: str, _total: int, _unit: str) -> Iterator[Advance]:
    """Makes the silent one."""
    yield no_progress


@contextmanager
def progress_bar(
    description: str, total: int, unit: str, *, done: int = 0, parts: tuple[int, str] | None = None
) -> Iterator[Advance]:
    """Show a bar with count, rate and time left; yield the function that advances it.

    Args:
        description: What is being done.
        total: Number of items.
        unit: What an item is, in the plural.
        done: Items that were there before; they do not count in the rate.
        parts: Of how many smaller parts an item consists, and what they are called; their rate is shown too.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _RateColumn(unit),
        *([_RateColumn(parts[1], parts[0])] if parts else []),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(description, total=total, completed=done)
        try:
            yield lambda n: progress.advance(task, n)
        except (NmrPlatformError, OSError):
            # What went wrong is one sentence, and a bar beside it says nothing.
            progress.update(task, visible=False)
            raise


class _RateColumn(ProgressColumn):
    """Items per second, or parts of items."""

    def __init__(self, unit: str, factor: int = 1) -> None:
        super().__init__()
        self._unit = unit
        self._factor = factor

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{_short(speed * self._factor)} {self._unit}/s" if speed else self._unit)


def _short(number: float) -> str:
    """Three digits and a prefix: 5.42M."""
    for size, prefix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.3g}{prefix}"
    return f"{number:.3g}"
