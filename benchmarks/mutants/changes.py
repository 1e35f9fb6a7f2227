"""Single changes to the code, each of which a test should notice: the lists beside this file."""

from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import yaml

__all__ = ["ROOMS", "ROOT", "Mutant", "mutants_of", "require_found"]

ROOT = Path(__file__).parents[2]
ROOMS = tuple(sorted(path.stem for path in Path(__file__).parent.glob("*.yaml")))


@dataclass(frozen=True)
class Mutant:
    """One change.

    Attributes:
        room: Room of the changed file, which is the list's name.
        file: The changed file, below the root of the project.
        before: Text that stands in it exactly once.
        after: What takes its place.
        tests: Files and folders of tests that should notice.
        equivalent: Why nobody could notice; empty for a change that should be noticed.
    """

    room: str
    file: str
    before: str
    after: str
    tests: tuple[str, ...]
    equivalent: str = ""

    def __str__(self) -> str:
        return f"{self.file}: {' '.join(self.before.split())} -> {' '.join(self.after.split()) or '(nothing)'}"

    def applied(self, text: str) -> str:
        """The file's text with the change.

        Raises:
            ValueError: The text before the change does not stand in it exactly once.
        """
        if (found := text.count(self.before)) != 1:
            message = f"Mutant `{self}` must be found once in its file, but is found {found} times; renew its line."
            raise ValueError(message)
        return text.replace(self.before, self.after)


def mutants_of(room: str) -> list[Mutant]:
    """The mutants of a room, in the order of their list."""
    listed = yaml.safe_load(Path(__file__).with_name(f"{room}.yaml").read_text(encoding="utf-8"))
    return list(chain.from_iterable(_mutants_in(room, **entry) for entry in listed))


def require_found(mutants: list[Mutant]) -> None:
    """Refuse lists that no longer fit the code.

    Raises:
        ValueError: Texts before a change do not stand in their files exactly once; all of them are named.
    """
    misfits = []
    for mutant in mutants:
        try:
            mutant.applied((ROOT / mutant.file).read_text(encoding="utf-8"))
        except ValueError as error:
            misfits.append(str(error))
    if misfits:
        raise ValueError("\n".join(misfits))


def _mutants_in(room: str, file: str, tests: list[str], changes: list[dict[str, Any]]) -> list[Mutant]:
    return [Mutant(room, file, tests=tuple(tests), **change) for change in changes]
