"""The line of names above a table of numbers, and the line of units that may follow it."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from nmr_platform.exchange.tables.numbers import COMMENTS, NumberTable
from nmr_platform.exchange.tables.words import CHANNELS, MAGNITUDE, PHASE, TIME, TIME_UNITS, UNITS, words_of

__all__ = ["Heading", "find_heading"]

# Names need not be separated as the numbers are.
_SEPARATORS = (",", ";", "\t", r"\s{2,}", r"\s+")


@dataclass(frozen=True)
class Heading:
    """Names of the columns.

    Attributes:
        line: Where they stand in the file, from 1.
        cells: The names.
        units: What a line of units says of each column; empty if there is no such line.
    """

    line: int
    cells: Sequence[str]
    units: Sequence[str] = ()

    def described(self, column: int) -> str:
        """Name and unit of a column."""
        return f"{self.cells[column]} {self.units[column] if self.units else ''}".strip()

    @property
    def times(self) -> list[int]:
        """Columns of times: those that are called so, and are no part of a signal; else those called by a unit."""
        parts = {column for found in (*self.channels, *self.polar) for column in found}
        called = [column for column in self._called(TIME.__contains__) if column not in parts]
        return called or [column for column, words in self._words() if words and words <= TIME_UNITS.keys()]

    @property
    def channels(self) -> tuple[list[int], list[int]]:
        """Columns of real and of imaginary parts."""
        for number, (real, imaginary) in enumerate(CHANNELS):
            found = self._called(real), self._called(imaginary)
            if all(found) or (number == 0 and any(found)):
                return found
        return [], []

    @property
    def polar(self) -> tuple[list[int], list[int]]:
        """Columns of magnitudes and of phases."""
        return self._called(MAGNITUDE.__contains__), self._called(PHASE.__contains__)

    @property
    def is_whole(self) -> bool:
        """Whether it names times and a complex signal."""
        return bool(self.times) and (all(self.channels) or all(self.polar))

    @property
    def is_units(self) -> bool:
        """Whether it is a line of units."""
        return any(self.cells) and all(words <= UNITS for _, words in self._words())

    @property
    def says_something(self) -> bool:
        """Whether a word of it could be about times or a signal."""
        return bool(self.times or any(self.channels) or any(self.polar))

    def _words(self) -> Iterator[tuple[int, frozenset[str]]]:
        return ((column, words_of(cell)) for column, cell in enumerate(self.cells))

    def _called(self, test: Callable[[str], bool]) -> list[int]:
        return [column for column, words in self._words() if any(map(test, words))]


def find_heading(table: NumberTable) -> Heading | None:
    """The names above a table: the nearest line that has one for each column.

    A comment counts if it names times and both parts of a signal. What is no comment and stands just above the numbers,
    or above a line of units, is taken for names unless it has another number of parts and no word of theirs.

    Returns:
        The names, those of as many columns as the table has not included; None if nothing looks like names.
    """
    units: Heading | None = None
    near = True
    for line, text in reversed(table.above):
        comment = text.lstrip().startswith(COMMENTS)
        headings = [Heading(line, cells) for cells in _ways_to_read(text, comment, table)]
        fitting = [each for each in headings if len(each.cells) == table.values.shape[1]]
        whole = next((each for each in fitting if each.is_whole), None)
        if whole is not None:
            return _with_units(whole, units)
        if near and units is None and fitting and fitting[0].is_units:
            units = fitting[0]
        elif near and not comment:
            near = False
            if fitting and fitting[0].cells == headings[0].cells:
                return _with_units(fitting[0], units)
            if headings[-1].says_something:
                return headings[0]
    return units


def _with_units(heading: Heading, units: Heading | None) -> Heading:
    return heading if units is None else replace(heading, units=units.cells)


def _ways_to_read(text: str, comment: bool, table: NumberTable) -> Iterator[list[str]]:
    """The parts of a line, separated as the numbers are, and otherwise."""
    if comment:
        text = text.lstrip().lstrip("".join(COMMENTS)).strip()
    width = table.values.shape[1]
    yield _fitted(table.dialect.cells(text), width)
    for separator in _SEPARATORS:
        yield _fitted([part.strip(' "') for part in re.split(separator, text.strip())], width)


def _fitted(cells: list[str], width: int) -> list[str]:
    """Without the empty names after those of the columns."""
    spare = cells[width:]
    return cells[:width] if not any(spare) else cells
