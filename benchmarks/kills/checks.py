"""What must be true of a project in which a command was killed and continued until it ended."""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

from benchmarks.kills.project import SYNC, require
from benchmarks.kills.shown import Shown, children_of, open_runs, outputs, parents_of, recorded, trials

__all__ = ["Expected", "Violation", "violations"]

_SHOWN = 4


class Violation(NamedTuple):
    """Something that is not as it would be without kills.

    Attributes:
        kind: One word.
        detail: What was seen.
    """

    kind: str
    detail: str


@dataclass(frozen=True)
class Expected:
    """What an uninterrupted run leaves.

    Attributes:
        outputs: Hashes by path.
        tried: By study, how often each point came out with which score.
    """

    outputs: dict[str, str]
    tried: dict[str, Counter[str]]

    @classmethod
    def of(cls, folder: Path) -> Self:
        """What is in a project."""
        return cls(outputs(folder), {name: _tried(found) for name, found in trials(folder).items()})


def violations(folder: Path, expected: Expected, *, is_tracked: bool) -> Iterator[Violation]:
    """Compare a project with what an uninterrupted run leaves; MLflow's records with the project's studies.

    Args:
        folder: The project, in which nothing runs any more.
        expected: From an uninterrupted run.
        is_tracked: Whether the command records in MLflow.
    """
    studies = trials(folder)
    yield from _of_outputs(outputs(folder), expected.outputs)
    yield from _of_trials(studies, expected.tried)
    if is_tracked:
        try:
            yield from _of_records(folder, studies)
            yield from _of_sync(folder)
        except sqlite3.Error as error:
            there = sorted(path.name for path in folder.iterdir())
            yield Violation("records", f"MLflow's database cannot be read ({error}); there are {', '.join(there)}")


def _of_outputs(found: dict[str, str], wanted: dict[str, str]) -> Iterator[Violation]:
    differing = sorted(name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name))
    if differing:
        yield Violation("outputs", _listed(differing))


def _of_trials(found: dict[str, list[Shown]], wanted: dict[str, Counter[str]]) -> Iterator[Violation]:
    for study in sorted(found.keys() | wanted.keys()):
        shown = found.get(study, [])
        for trial in shown:
            if trial.state in {"RUNNING", "WAITING"}:
                yield Violation("running", f"trial {trial.number} of {study} is {trial.state}")
        more, less = _tried(shown) - wanted.get(study, Counter()), wanted.get(study, Counter()) - _tried(shown)
        if more or less:
            yield Violation("trials", f"{study}: more than once or new {_listed(more)}; missing {_listed(less)}")


def _of_records(folder: Path, studies: dict[str, list[Shown]]) -> Iterator[Violation]:
    """Parents and children of the searches; a verdict's studies are not shown."""
    for name in open_runs(folder):
        yield Violation("parents", f"run {name} is not over")
    for key, shown in studies.items():
        place, _, study = key.partition(":")
        if place != "studies":
            continue
        found = parents_of(folder, study)
        if [status for _, status in found] != ["FINISHED"]:
            yield Violation("parents", f"{study}: {found}")
        settled = Counter((trial.number, trial.status) for trial in shown if trial.is_settled)
        children = sum((children_of(folder, run_id) for run_id, _ in found), Counter[tuple[int, str]]())
        if children != settled:
            differing = {"too many": children - settled, "missing": settled - children}
            yield Violation("children", f"{study}: {differing}")


def _of_sync(folder: Path) -> Iterator[Violation]:
    before = recorded(folder)
    try:
        require(SYNC, folder)
    except RuntimeError as error:
        yield Violation("sync", str(error))
        return
    for name, rows in recorded(folder).items():
        if rows != before.get(name):
            new, gone = ([row for row in one if row not in other] for one, other in _both(rows, before.get(name, [])))
            yield Violation("sync", f"{name}: {_listed(gone)} became {_listed(new)}")


def _both(one: list[Any], other: list[Any]) -> tuple[tuple[list[Any], list[Any]], tuple[list[Any], list[Any]]]:
    return (one, other), (other, one)


def _tried(shown: list[Shown]) -> Counter[str]:
    return Counter(trial.tried for trial in shown if trial.state == "over")


def _listed(things: Any) -> str:
    texts = [str(thing) for thing in things]
    more = f" and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return f"{'; '.join(texts[:_SHOWN]) or 'nothing'}{more}"
