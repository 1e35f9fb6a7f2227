"""A round: in a fresh copy of a project, a command is killed several times and continues, until it ends."""

import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.kills.checks import Expected, Violation, violations
from benchmarks.kills.family import Family
from benchmarks.kills.scenarios import Scenario

__all__ = ["Round", "play", "uninterrupted"]

_MOST_SIGNALS = 6
_MOST_REFUSALS = 10
# For machines on which several others work; nothing takes as long.
_PATIENCE = 600.0
_FAREWELL = 60.0
_EXCERPT = 1500


@dataclass
class Round:
    """What was done to a command, and what came of it.

    Attributes:
        scenario: Its name.
        number: Of the round in its scenario, from 0.
        kills: SIGKILLs sent.
        terms: SIGTERMs sent.
        restarts: How often the command was started again.
        refusals: How often it said that an orphan of the one before was still at work.
        signals: What was sent when and to whom.
        violations: Kind and detail.
    """

    scenario: str
    number: int
    kills: int = 0
    terms: int = 0
    restarts: int = 0
    refusals: int = 0
    signals: list[str] = field(default_factory=list)
    violations: list[tuple[str, str]] = field(default_factory=list)

    def strike(self, name: str, moment: float, whom: str) -> None:
        """Note a signal."""
        self.kills += name == "SIGKILL"
        self.terms += name == "SIGTERM"
        self.signals.append(f"{name} to {whom} after {moment:.2f} s")


def uninterrupted(scenario: Scenario, folder: Path) -> Expected:
    """Run a command to its end in a copy of its project, and return what it leaves.

    Raises:
        RuntimeError: It did not end well, or left something that it should not.
    """
    family, begin = Family(folder), time.monotonic()
    code = family.start(scenario.command).wait(_PATIENCE)
    expected = Expected.of(folder, time.monotonic() - begin)
    found = list(violations(folder, expected, is_tracked=scenario.is_tracked))
    if code or found or "Traceback" in family.said:
        message = f"`{scenario.name}` ended with {code} and {found}, and nobody had killed it: {family.said}"
        raise RuntimeError(message)
    return expected


def play(
    scenario: Scenario, number: int, folder: Path, expected: Expected, left: dict[str, int], rng: np.random.Generator
) -> Round:
    """Play a round.

    Args:
        scenario: Which command.
        number: Of the round.
        folder: A copy of its project.
        expected: What an uninterrupted run leaves.
        left: Signals of each kind that are still to be sent.
        rng: Draws moments, signals, and to whom they go.
    """
    played = Round(scenario.name, number)
    family = Family(folder)
    try:
        found = list(_played(played, scenario, family, expected, left, rng))
        if not family.has_ended(_FAREWELL):
            found.append(Violation("orphans", f"alive a minute after the end: {[p.cmdline() for p in family.alive()]}"))
        family.send(signal.SIGKILL)
        found += violations(folder, expected, is_tracked=scenario.is_tracked)
        if "Traceback" in family.said:
            found.append(Violation("traceback", family.said[family.said.index("Traceback") :][:_EXCERPT]))
    finally:
        family.send(signal.SIGKILL)
    played.violations = [(each.kind, each.detail) for each in found]
    return played


def _played(
    played: Round,
    scenario: Scenario,
    family: Family,
    expected: Expected,
    left: dict[str, int],
    rng: np.random.Generator,
) -> Iterator[Violation]:
    for _ in range(int(rng.integers(1, _MOST_SIGNALS, endpoint=True))):
        names = [name for name, number in left.items() for _ in range(number - _sent(played, name))]
        if not names:
            break
        orphans, process = bool(family.alive()), family.start(scenario.command)
        moment = float(rng.uniform(0.0, expected.seconds))
        name, whom = str(rng.choice(names)), str(rng.choice(["all", "the main process"]))
        code = _waited(process, moment)
        if code is not None and (code == 0 or not orphans):
            if code:
                yield _failure(code, family)
            return
        if code is not None:
            # Refused beside an orphan: the same once more.
            played.refusals += 1
            family.has_ended(_FAREWELL)
            continue
        played.strike(name, moment, whom)
        yield from _strike(process, family, signal.Signals[name], whom)
        if whom != "all" and rng.random() < 0.5:
            family.has_ended(_FAREWELL)
        played.restarts += 1
    yield from _finished(played, scenario, family)


def _finished(played: Round, scenario: Scenario, family: Family) -> Iterator[Violation]:
    """Run the command to its end, and once more where an orphan is in its way."""
    for _ in range(_MOST_REFUSALS):
        orphans, process = bool(family.alive()), family.start(scenario.command)
        code = _waited(process, _PATIENCE)
        if code == 0:
            return
        if code is None:
            yield Violation("hangs", f"no end after {_PATIENCE:.0f} s")
            return
        if not orphans:
            break
        played.refusals += 1
        family.has_ended(_FAREWELL)
    yield _failure(code, family)


def _strike(process: subprocess.Popen[bytes], family: Family, number: signal.Signals, whom: str) -> Iterator[Violation]:
    if whom == "all":
        family.send(number)
    else:
        process.send_signal(number)
    if _waited(process, _FAREWELL) is None:
        yield Violation("hangs", f"no end a minute after {number.name} to {whom}")
        family.send(signal.SIGKILL)
        process.wait()


def _failure(code: int | None, family: Family) -> Violation:
    return Violation("failed", f"ended with {code}: {family.said[-_EXCERPT:]}")


def _waited(process: subprocess.Popen[bytes], seconds: float) -> int | None:
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None


def _sent(played: Round, name: str) -> Any:
    return played.kills if name == "SIGKILL" else played.terms
