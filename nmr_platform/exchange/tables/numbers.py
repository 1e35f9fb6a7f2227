"""Tables of numbers as text: what separates them, how their decimals are marked, and where they stand in the file."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nmr_platform.errors import DataError

__all__ = ["COMMENTS", "Dialect", "NumberTable", "parse_numbers"]

COMMENTS = ("#", "%", "!", "//")
"""How a line begins that is neither numbers nor their names."""

_LINE_END = re.compile(r"\r\n|\r|\n")
_SPECIAL = r"[+-]?(?:nan|inf|infinity)"
_EXPONENT = r"(?:[ed][+-]?\d+)?"
_POINT = re.compile(rf"[+-]?(?:\d+\.?\d*|\.\d+){_EXPONENT}|{_SPECIAL}", re.IGNORECASE | re.ASCII)
_COMMA = re.compile(rf"[+-]?\d+(?:,\d+)?{_EXPONENT}|{_SPECIAL}", re.IGNORECASE | re.ASCII)
# Fortran writes 1.5D-07, and a word processor a minus sign that is no hyphen.
_FORTRAN = re.compile(r"(?<=[\d.])d(?=[+-]?\d)", re.IGNORECASE)
_MINUS = "\N{MINUS SIGN}"
_COMPLEX = re.compile(r"\(?[+-]?[\d.]+(?:e[+-]?\d+)?\s*[+-]\s*[\d.]+(?:e[+-]?\d+)?\s*\*?[ij]\b\)?", re.IGNORECASE)
# Lines that show which dialect it is: the first ones may be whole numbers, with no mark at all.
_SHOWING = 100
_SHOWN = 20


class Dialect(NamedTuple):
    """How the numbers of a line are told apart.

    Attributes:
        separator: What stands between them; None for blanks.
        decimal: The decimal mark.
    """

    separator: str | None
    decimal: str

    def cells(self, line: str) -> list[str]:
        """What stands between the separators of a line, without blanks and quotes around it."""
        if '"' in line and len(line) <= csv.field_size_limit():
            parts = next(csv.reader([line], delimiter=self.separator or " ", skipinitialspace=True))
            return [part.strip() for part in parts if part or self.separator]
        return [part.strip() for part in line.split(self.separator)]

    def is_number(self, cell: str) -> bool:
        """Whether a cell is a number with this decimal mark."""
        return bool((_COMMA if self.decimal == "," else _POINT).fullmatch(cell))

    def holds(self, line: str, fewest: int) -> bool:
        """Whether a line is this many numbers or more, perhaps with separators after the last one."""
        cells = _without_trailing(self.cells(line))
        # One number with a comma is as well two whole ones.
        needed = max(fewest, 2 if self.decimal == "," else 1)
        return len(cells) >= needed and all(map(self.is_number, cells))


# Blanks are tried before commas, because a comma between blanks is a decimal mark; after them, because one that is
# followed by a blank is none.
_DIALECTS = tuple(Dialect(separator, decimal) for separator in (";", "\t", None, ",") for decimal in (".", ","))


@dataclass(frozen=True)
class NumberTable:
    """Rows of as many numbers each.

    Attributes:
        values: The numbers, shape (n, k).
        lines: The line of the file, from 1, on which each row stands, shape (n,).
        rows: The text of each row.
        above: The lines above the first row, and their numbers.
        dialect: How the numbers are told apart.
        path: The file.
        spare: Columns after the last one that are empty in every row.
    """

    values: NDArray[np.float64]
    lines: NDArray[np.int64]
    rows: Sequence[str]
    above: Sequence[tuple[int, str]]
    dialect: Dialect
    path: Path
    spare: int = 0

    def require_finite(self, columns: Sequence[int]) -> None:
        """Refuse a number that is infinite or none.

        Args:
            columns: Which columns to look at, from 0.

        Raises:
            DataError: A number is not finite.
        """
        bad = np.argwhere(~np.isfinite(self.values[:, list(columns)]))
        if bad.size:
            row, column = bad[0]
            message = (
                f"File `{self.path}`, line {self.lines[row]}: column {columns[column] + 1} is "
                f"{self.values[row, columns[column]]}, but must be a finite number."
            )
            raise DataError(message, path=self.path)


def parse_numbers(text: str, path: Path, *, fewest: int, titled: bool) -> NumberTable:
    r"""Read the numbers of a text, whatever separates them and marks their decimals.

    Empty lines and comments are skipped. Separators after the last number of every row are no column. Everything
    else that is no number is refused with its line: nothing is left out, and nothing is taken for two things.

    Args:
        text: The text.
        path: Its file, for the sentences.
        fewest: Numbers that a row must have.
        titled: Whether lines of something else may stand above the numbers.

    Raises:
        DataError: There are no numbers, or something else is among them.

    Example:
        >>> table = parse_numbers("t;re\n0,5;1\n1;2,5", Path("echo.csv"), fewest=2, titled=True)
        >>> table.values.tolist(), table.lines.tolist(), table.above
        ([[0.5, 1.0], [1.0, 2.5]], [2, 3], [(1, 't;re')])
    """
    lines = _LINE_END.split(text.replace(_MINUS, "-"))
    kept = [number for number, line in enumerate(lines) if line.strip() and not line.lstrip().startswith(COMMENTS)]
    first = _first_row(lines, kept, fewest, path)
    if first and not titled:
        raise _no_numbers(path, kept[0], lines[kept[0]])
    above = [(number + 1, lines[number]) for number in range(kept[first]) if lines[number].strip()]
    kept = kept[first:]
    dialect = _dialect([lines[number] for number in kept[:_SHOWING]], fewest)
    rows = [_FORTRAN.sub("e", _beginning_of(lines[number])) for number in kept]
    spare = _spare(rows, dialect)
    if spare:
        rows = [row.rsplit(dialect.separator, spare)[0] for row in rows]
    numbers = np.array(kept, np.int64) + 1
    return NumberTable(_values(rows, numbers, dialect, path), numbers, rows, above, dialect, path, spare)


def _first_row(lines: Sequence[str], kept: Sequence[int], fewest: int, path: Path) -> int:
    """Place among the kept lines of the first one that is numbers."""
    for place, number in enumerate(kept):
        if any(dialect.holds(_beginning_of(lines[number]), fewest) for dialect in _DIALECTS):
            return place
    if not kept:
        message = f"File `{path}` holds no numbers."
        raise DataError(message, path=path)
    for number in kept:
        if found := _COMPLEX.search(lines[number]):
            what = f"`{_short(found[0])}` is a complex number, but each part must have a column of its own"
            message = f"File `{path}`, line {number + 1}: {what}."
            raise DataError(message, path=path)
    raise _no_numbers(path, kept[0], lines[kept[0]])


def _beginning_of(line: str) -> str:
    return line.partition("#")[0]


def _dialect(lines: Sequence[str], fewest: int) -> Dialect:
    """The dialect in which most of the lines are numbers, the first of several."""
    shown = [_beginning_of(line) for line in lines]
    able = [dialect for dialect in _DIALECTS if dialect.holds(shown[0], fewest)]
    return max(able, key=lambda dialect: sum(dialect.holds(line, fewest) for line in shown))


def _spare(rows: list[str], dialect: Dialect) -> int:
    """How many separators follow the last number of every row."""
    separator = dialect.separator
    if separator is None:
        return 0
    return min(row[len(row.rstrip(f"{separator} ")) :].count(separator) for row in rows)


def _values(rows: list[str], numbers: NDArray[np.int64], dialect: Dialect, path: Path) -> NDArray[np.float64]:
    separator = dialect.separator
    plain = rows
    if any('"' in row for row in rows):
        plain = ["\t".join(dialect.cells(row)) for row in rows]
        separator = "\t"
    if dialect.decimal == ",":
        if any("." in row for row in plain):
            raise _fault(rows, numbers, dialect, path)
        plain = [row.replace(",", ".") for row in plain]
    try:
        return np.loadtxt(plain, delimiter=separator, comments=None, ndmin=2)
    except ValueError as error:
        raise _fault(rows, numbers, dialect, path) from error


def _fault(rows: Sequence[str], numbers: NDArray[np.int64], dialect: Dialect, path: Path) -> DataError:
    """The first line that is not as many numbers as the first one."""
    width = len(dialect.cells(rows[0]))
    for row, number in zip(rows, numbers, strict=True):
        for reason in _reasons(dialect.cells(row), width, numbers[0], dialect):
            return DataError(f"File `{path}`, line {number}: {reason}.", path=path)
    return DataError(f"File `{path}` is not a table of numbers.", path=path)


def _reasons(cells: Sequence[str], width: int, first: int, dialect: Dialect) -> Iterator[str]:
    strange = [place for place, cell in enumerate(cells) if not dialect.is_number(cell)]
    if len(strange) == len(cells):
        yield f"`{_short(' '.join(cells))}` is not numbers; delete the line, or begin it with #"
    for place in strange:
        if not cells[place]:
            yield f"cell {place + 1} is empty, but must be a number"
        mark = "comma" if dialect.decimal == "," else "point"
        yield f"cell {place + 1}, `{_short(cells[place])}`, is not a number with a decimal {mark} like line {first}"
    if len(cells) != width:
        yield f"it has {len(cells)} numbers, but line {first} has {width}"


def _without_trailing(cells: list[str]) -> list[str]:
    end = len(cells)
    while end and not cells[end - 1]:
        end -= 1
    return cells[:end]


def _no_numbers(path: Path, place: int, line: str) -> DataError:
    message = f"File `{path}` is not a table of numbers: line {place + 1} is `{_short(line.strip())}`."
    return DataError(message, path=path)


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
