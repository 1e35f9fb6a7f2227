"""A round: in a fresh copy of a project, a command is killed several times and continues, until it ends."""

import signal
import subprocess
import time
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from benchmarks.kills.checks import Expected, Violation, violations
from benchmarks.kills.family import Family
from benchmarks.kills.project import remove_half_a_lock
from benchmarks.kills.scenarios import Scenario

__all__ = ["Played", "play", "uninterrupted"]

_MOST_SIGNALS = 6
_MOST_REFUSALS = 10
# For machines on which several others work; nothing takes as long.
_PATIENCE = 900.0
_FAREWELL = 120.0
_EXCERPT = 1500


@dataclass(frozen=True)
class Played:
    """A round that is over, in plain data.

    Attributes:
        scenario: Its name.
        number: Of the round in its scenario, from 0.
        seconds: How long an uninterrupted run takes by now: others may have come to the machine, or gone.
        signals: How many were sent, by name.
        restarts: How often the command was started again.
        refusals: How often it said that an orphan of the one before was still at work.
        story: What was sent when and to whom.
        violations: Kind and detail of each.
    """

    scenario: str
    number: int
    seconds: float
    signals: dict[str, int] = field(default_factory=dict)
    restarts: int = 0
    refusals: int = 0
    story: str = ""
    violations: list[tuple[str, str]] = field(default_factory=list)


def uninterrupted(scenario: Scenario, family: Family) -> tuple[float, Expected]:
    """Run a command to its end in a copy of its project; return how long it takes, in seconds, and what it leaves.

    Args:
        scenario: Which command.
        family: Of the copy.

    Raises:
        RuntimeError: It did not end well, or left something that it should not.
    """
    begin = time.monotonic()
    code = family.start(scenario.command).wait(_PATIENCE)
    seconds, expected = time.monotonic() - begin, Expected.of(family.folder)
    found = list(violations(family.folder, expected, is_tracked=scenario.is_tracked))
    if code or found or "Traceback" in family.said:
        message = f"`{scenario.name}` ended with {code} and {found}, and nobody had killed it: {family.said}"
        raise RuntimeError(message)
    return seconds, expected


def play(
    scenario: Scenario,
    number: int,
    family: Family,
    expected: Expected,
    *,
    seconds: float,
    left: Counter[str],
    rng: np.random.Generator,
) -> Played:
    """Play a round.

    Args:
        scenario: Which command.
        number: Of the round.
        family: Of a copy of its project.
        expected: What an uninterrupted run leaves.
        seconds: How long that takes.
        left: Signals by name that are still to be sent.
        rng: Draws moments, signals, and to whom they go.
    """
    game = _Game(scenario, family, seconds, Counter(left), rng)
    try:
        game.run()
        found = [*game.found, *violations(family.folder, expected, is_tracked=scenario.is_tracked)]
    finally:
        family.send(signal.SIGKILL)
    said = family.said
    if "Traceback" in said:
        found.append(Violation("traceback", said[said.index("Traceback") :][:_EXCERPT]))
    return Played(
        scenario.name,
        number,
        seconds=game.seconds,
        signals=dict(game.sent),
        restarts=max(0, game.starts - 1),
        refusals=game.refusals,
        story=", ".join(game.story) or "no signal in time",
        violations=[(each.kind, each.detail) for each in found],
    )


class _Game:
    """A round that is being played."""

    def __init__(
        self, scenario: Scenario, family: Family, seconds: float, left: Counter[str], rng: np.random.Generator
    ) -> None:
        self._command, self._left, self._rng = scenario.command, left, rng
        self._planned = int(rng.integers(1, _MOST_SIGNALS, endpoint=True))
        self.family, self.seconds = family, seconds
        self.sent: Counter[str] = Counter()
        self.starts = self.refusals = 0
        self.story: list[str] = []
        self.found: list[Violation] = []

    def run(self) -> None:
        """Start, kill and start again until the command has ended; then nothing that it started may live on."""
        while not self._has_ended():
            pass
        if not self.family.has_ended(_FAREWELL):
            left = [" ".join(process.cmdline()) for process in self.family.alive()]
            self._note("orphans", f"{_FAREWELL:.0f} s after the end there is still {left}")
            self.family.send(signal.SIGKILL)

    def _has_ended(self) -> bool:
        """Start the command once; say whether that was the last time."""
        names = sorted((self._left - self.sent).elements())
        is_last = not names or self.sent.total() >= self._planned
        moment = _PATIENCE if is_last else float(self._rng.uniform(0.0, self.seconds))
        orphans, begin = bool(self.family.alive()), time.monotonic()
        if not orphans and remove_half_a_lock(self.family.folder):
            self.story.append("half of DVC's rwlock removed, as `make run` does")
        process = self.family.start(self._command)
        self.starts += 1
        code = _waited(process, moment)
        if code is None and not is_last:
            self._strike(process, signal.Signals[self._rng.choice(names)], moment)
            return False
        if code is None:
            self._note("hangs", f"no end after {_PATIENCE:.0f} s")
            self.family.send(signal.SIGKILL)
            return True
        if code == 0:
            took = time.monotonic() - begin
            self.seconds = took if self.starts == 1 else max(took, self.seconds)
            return True
        if orphans and self.refusals < _MOST_REFUSALS:
            # Something of the command before is still at work.
            self.refusals += 1
            self.family.has_ended(_FAREWELL)
            return False
        self._note("failed", f"ended with {code}: {self.family.said[-_EXCERPT:]}")
        return True

    def _strike(self, process: subprocess.Popen[bytes], number: signal.Signals, moment: float) -> None:
        """Send a signal to all processes, or to the main one alone, and wait for that one, or for all of them."""
        to_all, is_patient = self._rng.random(2) < 0.5
        if to_all:
            self.family.send(number)
        else:
            process.send_signal(number)
        self.sent[number.name] += 1
        self.story.append(f"{number.name} to {'all' if to_all else 'the main process'} after {moment:.2f} s")
        if _waited(process, _FAREWELL) is None:
            self._note("hangs", f"no end {_FAREWELL:.0f} s after {self.story[-1]}")
            self.family.send(signal.SIGKILL)
            process.wait()
        if is_patient:
            self.family.has_ended(_FAREWELL)

    def _note(self, kind: str, detail: str) -> None:
        self.found.append(Violation(kind, detail))


def _waited(process: subprocess.Popen[bytes], seconds: float) -> int | None:
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None
