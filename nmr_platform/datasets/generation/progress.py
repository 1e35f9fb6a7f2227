"""What a person or a program sees of a data set in the making."""

import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from types import TracebackType
from typing import Any, NamedTuple, Self

from rich.console import Console

from nmr_platform.datasets.generation.curves import Failure
from nmr_platform.datasets.generation.shards import ShardReport
from nmr_platform.datasets.recipe.recipe import Recipe
from nmr_platform.progress import Advance, no_progress, progress_bar

__all__ = ["BarWatcher", "JsonWatcher", "Outlook", "Watcher"]


class Outlook(NamedTuple):
    """What lies ahead when a run begins.

    Attributes:
        recipe: Of the data set.
        n_found: Curves that are there from earlier runs.
        spin_steps: Spins times time steps of one curve.
        acceptance: Fraction of the draws that meet the constraints, estimated.
    """

    recipe: Recipe
    n_found: int
    spin_steps: int
    acceptance: float


class Watcher:
    """Sees nothing and says nothing; the base of those that do. A context manager around one run."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def phase(self, what: str) -> AbstractContextManager[object]:
        """Something beside simulating takes a while; ``what`` says what."""
        del what
        return nullcontext()

    def begin(self, outlook: Outlook) -> None:
        """The work is known and about to begin."""

    def advance(self, n_curves: int) -> None:
        """So many curves more are finished; may be called from any thread."""

    def repairs(self, sentence: str) -> None:
        """Something damaged was found and is made anew."""

    def shard(self, report: ShardReport) -> None:
        """A shard is finished."""

    def failed(self, failures: tuple[Failure, ...]) -> None:
        """All shards are finished, and some curves could not be simulated."""


class BarWatcher(Watcher):
    """A progress bar with curves/s, spin-steps/s and time left, on standard error."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._advance: Advance = no_progress

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def phase(self, what: str) -> AbstractContextManager[object]:
        """See `Watcher`."""
        self._stack.close()
        return Console(stderr=True).status(what)

    def begin(self, outlook: Outlook) -> None:
        """See `Watcher`."""
        recipe = outlook.recipe
        bar = progress_bar(
            f"simulate {recipe.name}",
            recipe.n_curves,
            "curves",
            done=outlook.n_found,
            parts=(outlook.spin_steps, "spin-steps"),
        )
        self._advance = self._stack.enter_context(bar)

    def advance(self, n_curves: int) -> None:
        """See `Watcher`."""
        self._advance(n_curves)


class JsonWatcher(Watcher):
    """One JSON object a line for programs: `begin`, `shard`, `repair` and `failed` events.

    Args:
        write: Called with each line.
    """

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._spin_steps = self._n_curves = self._done = self._found = 0
        self._started = 0.0

    def begin(self, outlook: Outlook) -> None:
        """See `Watcher`."""
        self._spin_steps, self._n_curves = outlook.spin_steps, outlook.recipe.n_curves
        self._started, self._done, self._found = time.monotonic(), outlook.n_found, outlook.n_found
        self._say(
            "begin",
            name=outlook.recipe.name,
            digest=outlook.recipe.digest,
            curves=outlook.recipe.n_curves,
            found=outlook.n_found,
            acceptance=round(outlook.acceptance, 4),
        )

    def shard(self, report: ShardReport) -> None:
        """See `Watcher`."""
        self._done += report.shard.size
        rate = (self._done - self._found) / max(time.monotonic() - self._started, 1e-9)
        self._say(
            "shard",
            start=report.shard.start,
            stop=report.shard.stop,
            simulated=report.n_simulated,
            failed=report.n_failed,
            seconds=round(report.seconds, 3),
            done=self._done,
            curves_per_s=float(f"{rate:.4g}"),
            spin_steps_per_s=float(f"{rate * self._spin_steps:.4g}"),
            seconds_left=round((self._n_curves - self._done) / rate, 1),
        )

    def repairs(self, sentence: str) -> None:
        """See `Watcher`."""
        self._say("repair", reason=sentence)

    def failed(self, failures: tuple[Failure, ...]) -> None:
        """See `Watcher`."""
        for failure in failures:
            self._say("failed", **failure._asdict())

    def _say(self, event: str, **values: Any) -> None:
        self._write(json.dumps({"event": event, **values}))
