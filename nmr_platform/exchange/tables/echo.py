"""Time and complex signal of a measured table, by the names of its columns."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nmr_platform.errors import ConfigurationError, DataError
from nmr_platform.exchange.tables.heading import Heading, find_heading
from nmr_platform.exchange.tables.numbers import NumberTable
from nmr_platform.exchange.tables.words import (
    FREQUENCY,
    PHASE_UNITS,
    SIGNAL_UNITS,
    time_units,
    unknown_unit,
    words_of,
)

__all__ = ["EchoColumns", "echo_columns"]

_REMEDY = "say which columns are time, real and imaginary part, for instance `--columns 1,2,3`"


class EchoColumns(NamedTuple):
    """A measured echo as its table has it.

    Attributes:
        time: The times, in ``unit``, shape (T,).
        signal: Real plus i times imaginary part, arbitrary unit, complex, shape (T,).
        time_column: Which column the times are, from 0.
        unit: Unit of the times.
    """

    time: NDArray[np.float64]
    signal: NDArray[np.complex128]
    time_column: int
    unit: str


def echo_columns(table: NumberTable, *, order: str | None = None, unit: str | None = None) -> EchoColumns:
    r"""Find time, real and imaginary part of a measured echo, or its magnitude and phase.

    Names count where there are any; without them, three columns are time, real and imaginary part.

    Args:
        table: The table.
        order: Numbers of the columns of time, real and imaginary part, from 1, for instance ``1,3,2``; None to go by
            their names.
        unit: Unit of the times: ns, us, ms or s; None for what their name says, or us.

    Raises:
        ConfigurationError: ``order`` is not three different columns of the table.
        DataError: The names do not say which columns are meant, contradict ``unit``, or a number is not finite.

    Example:
        >>> from pathlib import Path
        >>> from nmr_platform.exchange.tables import parse_numbers
        >>> table = parse_numbers("t (ms);imag;real\n0;1;2\n1;3;4", Path("echo.csv"), fewest=2, titled=True)
        >>> columns = echo_columns(table)
        >>> columns.unit, columns.signal.tolist()
        ('ms', [(2+1j), (4+3j)])
    """
    heading = find_heading(table)
    if order is not None:
        time, real, imaginary = _ordered(order, table)
    elif heading is None or (heading.is_units and not heading.units):
        time, real, imaginary = _unnamed(table, heading)
    else:
        _check_width(table, heading)
        time = _time(table, heading)
        if not any(heading.channels) and all(heading.polar):
            return _echo(table, time, _polar(table, heading), _unit(table, heading, time, unit))
        real, imaginary = _channels(table, heading)
    table.require_finite([real, imaginary])
    signal = table.values[:, real] + 1j * table.values[:, imaginary]
    return _echo(table, time, signal, _unit(table, heading, time, unit))


def _echo(table: NumberTable, time: int, signal: NDArray[np.complex128], unit: str) -> EchoColumns:
    table.require_finite([time])
    return EchoColumns(table.values[:, time], signal, time, unit)


def _ordered(order: str, table: NumberTable) -> list[int]:
    width = table.values.shape[1]
    places = [int(part) if part.strip().isdecimal() else 0 for part in order.split(",")]
    if len(places) != 3 or len(set(places)) != 3 or not all(1 <= place <= width for place in places):
        message = (
            f"Argument `columns` must be three different numbers from 1 to {width}, the columns of time, real and "
            f"imaginary part in `{table.path}`, but is {order!r}."
        )
        raise ConfigurationError(message, key="columns", value=order)
    return [place - 1 for place in places]


def _unnamed(table: NumberTable, units: Heading | None) -> tuple[int, int, int]:
    """Three columns in the order that needs no names."""
    width = table.values.shape[1]
    if width != 3:
        raise _unclear(table, f"File `{table.path}` has {width} columns without names")
    if units is not None and units.times != [0]:
        raise _unclear(table, f"File `{table.path}`, line {units.line}: the units do not begin with one of time")
    return 0, 1, 2


def _check_width(table: NumberTable, heading: Heading) -> None:
    width = table.values.shape[1]
    if len(heading.cells) != width:
        what = f"names {len(heading.cells)} columns, but there are {width}"
        message = f"File `{table.path}`, line {heading.line} {what}; mend it, or begin it with # and {_REMEDY}."
        raise DataError(message, path=table.path)


def _time(table: NumberTable, heading: Heading) -> int:
    columns = heading.times
    if not columns:
        if any(words_of(cell) & FREQUENCY for cell in (*heading.cells, *heading.units)):
            message = (
                f"File `{table.path}`, line {heading.line} names a frequency and no time: it is a spectrum, but an "
                "echo in time is needed."
            )
            raise DataError(message, path=table.path)
        raise _unclear(table, f"{_names(table, heading)} have no time")
    first = table.values[:, columns[0]]
    if any(not np.array_equal(first, table.values[:, column]) for column in columns[1:]):
        raise _unclear(table, f"{_names(table, heading)} have {len(columns)} times, which differ")
    return columns[0]


def _channels(table: NumberTable, heading: Heading) -> tuple[int, int]:
    """The columns of real and imaginary part."""
    real, imaginary = heading.channels
    for part, columns in (("real", real), ("imaginary", imaginary)):
        if len(columns) != 1:
            counted = f"{len(columns)} {part} parts" if columns else f"no {part} part"
            raise _unclear(table, f"{_names(table, heading)} have {counted}")
    units = [
        {SIGNAL_UNITS[word] for word in words_of(heading.described(column)) & SIGNAL_UNITS.keys()}
        for column in (real[0], imaginary[0])
    ]
    if all(units) and units[0] != units[1]:
        message = f"{_names(table, heading)} give real and imaginary part different units, but they must have the same."
        raise DataError(message, path=table.path)
    return real[0], imaginary[0]


def _polar(table: NumberTable, heading: Heading) -> NDArray[np.complex128]:
    """The signal of magnitude and phase, arbitrary unit, complex, shape (T,)."""
    for part, columns in zip(("magnitude", "phase"), heading.polar, strict=True):
        if len(columns) != 1:
            raise _unclear(table, f"{_names(table, heading)} have {len(columns)} columns of {part}")
    (magnitude,), (phase,) = heading.polar
    radians = {PHASE_UNITS[word] for word in words_of(heading.described(phase)) & PHASE_UNITS.keys()}
    if len(radians) != 1:
        message = f"{_names(table, heading)} do not say whether the phase is in deg or rad; write it behind its name."
        raise DataError(message, path=table.path)
    if "db" in words_of(heading.described(magnitude)):
        message = f"{_names(table, heading)} give the magnitude in dB, but it must be linear."
        raise DataError(message, path=table.path)
    table.require_finite([magnitude, phase])
    turned: NDArray[np.complex128] = np.exp(1j * radians.pop() * table.values[:, phase])
    return table.values[:, magnitude] * turned


def _unit(table: NumberTable, heading: Heading | None, time: int, given: str | None) -> str:
    """The unit of the times: as given, as their name tells it, or us."""
    fits = heading is not None and len(heading.cells) == table.values.shape[1]
    name = heading.described(time) if heading is not None and fits else ""
    told, unknown = time_units(name), unknown_unit(name)
    if heading is not None and given is None and (unknown or len(told) > 1):
        message = (
            f"{_names(table, heading)} give times in `{unknown or name}`, but ns, us, ms and s are known; say which "
            "one it is by `--unit`."
        )
        raise DataError(message, path=table.path)
    if given is not None and len(told) == 1 and not unknown and given not in told:
        message = (
            f"File `{table.path}` gives times in {min(told)} by the name `{name}`, but `--unit` says {given}; leave "
            "the option out, or mend the name."
        )
        raise DataError(message, path=table.path)
    return given or min(told, default="us")


def _names(table: NumberTable, heading: Heading) -> str:
    return f"File `{table.path}`: the names in line {heading.line} ({', '.join(heading.cells)})"


def _unclear(table: NumberTable, what: str) -> DataError:
    return DataError(f"{what}; {_REMEDY}.", path=table.path)
