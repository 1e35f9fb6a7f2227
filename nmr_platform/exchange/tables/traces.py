"""Which columns of a table belong together: times, and the signals of one echo or of several."""

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nmr_platform.errors import DataError
from nmr_platform.exchange.tables.heading import Heading
from nmr_platform.exchange.tables.numbers import NumberTable
from nmr_platform.exchange.tables.words import (
    CHANNELS,
    FREQUENCY,
    MAGNITUDE,
    PHASE,
    PHASE_UNITS,
    TIME,
    unit_behind,
    words_of,
)

__all__ = ["MICROSECONDS", "Trace", "find_traces", "names_in", "unclear"]

MICROSECONDS = {"ns": 1e-3, "us": 1.0, "ms": 1e3, "s": 1e6}
"""What each unit of time is in us."""

_REMEDY = (
    "say which columns are time, real and imaginary part, for instance `--columns 1,2,3`, or time and magnitude, "
    "`--columns 1,2`"
)
_PART = re.compile(r"[^\W\d_]*\d+[.,]\d+[^\W_]*|[^\W_]+")
_NUMBERED = re.compile(r"(\D+)([\d.,]*)")
_TAU = re.compile(r"(?:^|[^\W_]*\W)tau[\s=_:-]*(?:[(\[](ns|us|ms|s)[)\]])?[\s=]*(\d+(?:[.,]\d+)?)\s*(ns|us|ms|s)?$")
_NO_NAME = re.compile(r"[^A-Za-z0-9_.+-]+")
_LONGEST = 48


class Trace(NamedTuple):
    """The columns of one echo.

    Attributes:
        name: What its names say beside that; empty for an only one.
        time: Its times.
        first: Real part, or magnitude.
        second: Imaginary part, or phase; None if there are magnitudes alone.
        is_polar: Whether these are magnitude and phase.
    """

    name: str
    time: int
    first: int
    second: int | None
    is_polar: bool


def find_traces(table: NumberTable, heading: Heading) -> list[Trace]:
    """Find the columns of every echo by their names.

    Args:
        table: The table.
        heading: Its names.

    Raises:
        DataError: The names are not one for each column, or do not say which ones belong together.
    """
    width = table.values.shape[1]
    if len(heading.cells) != width:
        what = f"names {len(heading.cells)} columns, but there are {width}"
        message = f"File `{table.path}`, line {heading.line} {what}; mend it, or begin it with # and {_REMEDY}."
        raise DataError(message, path=table.path)
    if not heading.times:
        raise _timeless(table, heading)
    is_polar = not any(heading.channels) and any(heading.polar)
    kinds = ("magnitude", "phase") if is_polar else ("real part", "imaginary part")
    firsts, seconds = heading.polar if is_polar else heading.channels
    if is_polar and firsts and not seconds:
        pairs: list[tuple[int, int | None]] = [(first, None) for first in firsts]
    else:
        pairs = [*_paired(heading, firsts, seconds)]
    if not pairs:
        counted = (
            f"{len(found) or 'no'} {kind}{'s' if len(found) > 1 else ''}"
            for kind, found in zip(kinds, (firsts, seconds), strict=True)
            if len(found) != 1
        )
        raise unclear(table, f"{names_in(table, heading)} have {' and '.join(counted)}")
    times = _times(table, heading, [first for first, _ in pairs])
    names = _names(heading, [first for first, _ in pairs], times[0])
    return [Trace(name, time, *pair, is_polar) for name, time, pair in zip(names, times, pairs, strict=True)]


def names_in(table: NumberTable, heading: Heading) -> str:
    """The names and their place, for a sentence."""
    return f"File `{table.path}`: the names in line {heading.line} ({', '.join(heading.cells)})"


def unclear(table: NumberTable, what: str) -> DataError:
    """That names do not tell what is needed, and what would help."""
    return DataError(f"{what}; {_REMEDY}.", path=table.path)


def _timeless(table: NumberTable, heading: Heading) -> DataError:
    if any(words_of(cell) & FREQUENCY for cell in (*heading.cells, *heading.units)):
        message = (
            f"File `{table.path}`, line {heading.line} names a frequency and no time: it is a spectrum, but an "
            "echo in time is needed."
        )
        return DataError(message, path=table.path)
    return unclear(table, f"{names_in(table, heading)} have no time")


def _paired(heading: Heading, firsts: Sequence[int], seconds: Sequence[int]) -> list[tuple[int, int]]:
    """Columns that differ in the part alone, or stand side by side without another name; empty if it is not clear."""
    if len(firsts) == len(seconds) == 1:
        return [(firsts[0], seconds[0])]
    labels, others = ([_label(heading.cells[column]) for column in columns] for columns in (firsts, seconds))
    if set(labels) == set(others) and len(set(labels)) == len(firsts) == len(seconds):
        return [(column, seconds[others.index(label)]) for column, label in zip(firsts, labels, strict=True)]
    order = [column for pair in zip(firsts, seconds, strict=False) for column in pair]
    if len({*labels, *others}) == 1 and len(firsts) == len(seconds) and order == sorted(order):
        return list(zip(firsts, seconds, strict=True))
    return []


def _times(table: NumberTable, heading: Heading, firsts: Sequence[int]) -> list[int]:
    """The times of every trace: those of all, or the nearest before each."""
    columns = heading.times
    shared = table.values[:, columns[0]]
    if all(np.array_equal(shared, table.values[:, column]) for column in columns[1:]):
        return [columns[0]] * len(firsts)
    before = [max((column for column in columns if column < first), default=-1) for first in firsts]
    if before == columns:
        return before
    raise unclear(table, f"{names_in(table, heading)} have {len(columns)} times, which differ")


def _names(heading: Heading, firsts: Sequence[int], time: int) -> list[str]:
    """A name for every trace: what stands beside the part in its name, or in a line of notes, or its number."""
    if len(firsts) == 1:
        return [""]
    said = [[_label(heading.cells[column]) for column in firsts]]
    for cells in heading.notes:
        carried = [next((cell for cell in reversed(cells[: column + 1]) if cell), "") for column in firsts]
        said.append([f"{cells[time]} {cell}" if cell.isdecimal() else cell for cell in carried])
    for labels in said:
        names = [_name(label) for label in labels]
        if all(names) and len(set(names)) == len(names):
            return names
    return [str(place) for place in range(1, len(firsts) + 1)]


def _label(cell: str) -> str:
    """What a name says beside the part of the signal and its unit."""
    cell = unicodedata.normalize("NFKC", cell)
    unit = unit_behind(cell)
    kept: list[str] = []
    for part in _PART.findall(cell.removesuffix(unit) if unit else cell):
        numbered = _NUMBERED.fullmatch(part.casefold())
        if numbered and _is_part(numbered[1]):
            kept += [numbered[2]] if numbered[2] else []
        elif part.casefold() not in PHASE_UNITS:
            kept.append(part)
    return " ".join(kept)


def _is_part(word: str) -> bool:
    return word in MAGNITUDE | PHASE | TIME or any(test(word) for pair in CHANNELS for test in pair)


def _name(label: str) -> str:
    """A name that files can bear; a delay tau is given in us, as a measurement calls its records."""
    plain = unicodedata.normalize("NFKC", label).replace("τ", "tau").replace("μ", "u")
    if found := _TAU.search(plain.casefold().strip()):
        before, number, behind = found.groups()
        return f"tau{float(number.replace(',', '.')) * MICROSECONDS[behind or before or 'us']:.12g}"
    return _NO_NAME.sub("-", plain).strip("-_.+")[:_LONGEST]
