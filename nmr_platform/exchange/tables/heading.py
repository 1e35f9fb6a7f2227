"""The line of names above a table of numbers, and the lines of units and notes around it."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from nmr_platform.exchange.tables.numbers import COMMENTS, NumberTable
from nmr_platform.exchange.tables.words import (
    CHANNELS,
    MAGNITUDE,
    PHASE,
    TIME,
    TIME_UNITS,
    UNITS,
    stems_of,
    words_of,
)

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
        notes: Further lines of as many cells, such as one that names groups of columns.
    """

    line: int
    cells: Sequence[str]
    units: Sequence[str] = ()
    notes: Sequence[Sequence[str]] = ()

    def described(self, column: int) -> str:
        """Name and unit of a column."""
        return f"{self.cells[column]} {self.units[column] if self.units else ''}".strip()

    @property
    def times(self) -> list[int]:
        """Columns of times: those that are called so, and are no part of a signal; else those that have its unit."""
        parts = {column for found in (*self.channels, *self.polar) for column in found}
        called = [column for column in self._called(TIME.__contains__) if column not in parts]
        return called or [
            column
            for cells in (self.cells, self.units)
            for column, cell in enumerate(cells)
            if _is_time_unit(cell) and column not in parts
        ]

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
        """Whether it names times and a complex signal, or times and nothing but magnitudes."""
        magnitudes, phases = self.polar
        signal = all(self.channels) or all((magnitudes, phases)) or len(magnitudes) == len(self.cells) - 1
        return bool(self.times) and signal

    @property
    def is_units(self) -> bool:
        """Whether it is a line of units."""
        return any(self.cells) and all(words_of(cell) <= UNITS for cell in self.cells)

    @property
    def says_something(self) -> bool:
        """Whether a word of it could be about times or a signal."""
        return bool(self.times or any(self.channels) or any(self.polar))

    def _called(self, test: Callable[[str], bool]) -> list[int]:
        return [column for column, cell in enumerate(self.cells) if any(map(test, stems_of(cell)))]


def find_heading(table: NumberTable) -> Heading | None:
    """The names above a table: the nearest line that has one for each column.

    A comment counts if it names times and a signal. What is no comment and stands just above the numbers, or above a
    line of units, is taken for names unless it has fewer parts, or blanks between them, and no word of theirs; if it
    has none of them at all, a line further above that names times and a signal goes before it.

    Returns:
        The names, those of as many columns as the table has not included; None if nothing looks like names.
    """
    units, near, decided = None, None, False
    notes: list[Sequence[str]] = []
    for line, text in reversed(table.above):
        comment = text.lstrip().startswith(COMMENTS)
        headings = [Heading(line, cells) for cells in _ways_to_read(text, comment, table)]
        fitting = [each for each in headings if len(each.cells) == table.values.shape[1]]
        whole = next((each for each in fitting if each.is_whole), None)
        if whole is not None:
            return _completed(whole, units, [*notes, *_notes_above(line, table)])
        if units is None and fitting and fitting[0].is_units and (not decided or near is not None):
            units = fitting[0]
        elif not decided and not comment:
            decided = True
            if fitting and fitting[0].cells == headings[0].cells:
                near = fitting[0]
            elif headings[-1].says_something or _overflows(headings[0], table):
                near = headings[0]
            if near is not None and (near.says_something or near not in fitting):
                break
        notes += [each.cells for each in fitting[:1] if not comment]
    return units if near is None else _completed(near, units, ())


def _overflows(heading: Heading, table: NumberTable) -> bool:
    """Whether it has more cells than there are columns, and no sentence would."""
    return table.dialect.separator is not None and len(heading.cells) > table.values.shape[1]


def _completed(heading: Heading, units: Heading | None, notes: Sequence[Sequence[str]]) -> Heading:
    """The names with their units, which may stand among the notes around them: a line with one of time."""
    if units is not None:
        return replace(heading, units=units.cells, notes=notes)
    found = [cells for cells in notes for time in heading.times[:1] if _is_time_unit(cells[time])]
    return replace(heading, units=found[0] if found else (), notes=notes)


def _is_time_unit(cell: str) -> bool:
    words = words_of(cell)
    return bool(words) and words <= TIME_UNITS.keys()


def _notes_above(line: int, table: NumberTable) -> Iterator[Sequence[str]]:
    """Lines above the names that have a cell for each column, the nearest first."""
    for number, text in reversed(table.above):
        cells = _fitted(table.dialect.cells(text), table)
        if number < line and len(cells) == table.values.shape[1]:
            yield cells


def _ways_to_read(text: str, comment: bool, table: NumberTable) -> Iterator[list[str]]:
    """The parts of a line, separated as the numbers are, and otherwise."""
    if comment:
        text = text.lstrip().lstrip("".join(COMMENTS)).strip()
    yield _fitted(table.dialect.cells(text), table)
    for separator in _SEPARATORS:
        yield _fitted([part.strip(' "') for part in re.split(separator, text.strip())], table)


def _fitted(cells: list[str], table: NumberTable) -> list[str]:
    """Without the names after those of the columns that are empty, or those of empty columns."""
    width = table.values.shape[1]
    named = max((place for place, cell in enumerate(cells, 1) if cell), default=0)
    return cells[:width] if named <= width + table.spare else cells
