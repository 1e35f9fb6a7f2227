"""Times and complex signals of a measured table, by the names of its columns."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nmr_platform.errors import ConfigurationError, DataError
from nmr_platform.exchange.tables.heading import Heading, find_heading
from nmr_platform.exchange.tables.numbers import NumberTable
from nmr_platform.exchange.tables.traces import Trace, find_traces, names_in, unclear
from nmr_platform.exchange.tables.words import PHASE_UNITS, SIGNAL_UNITS, time_units, unknown_unit, words_of

__all__ = ["EchoColumns", "echo_columns", "echo_names"]


class EchoColumns(NamedTuple):
    """A measured echo as its table has it.

    Attributes:
        time: The times, in ``unit``, shape (T,).
        signal: Real plus i times imaginary part, arbitrary unit, complex, shape (T,).
        time_column: Which column the times are, from 0.
        unit: Unit of the times; None if nothing says it.
        has_phase: Whether there is more than a magnitude, which ``signal`` is otherwise.
    """

    time: NDArray[np.float64]
    signal: NDArray[np.complex128]
    time_column: int
    unit: str | None
    has_phase: bool


def echo_columns(table: NumberTable, *, order: str | None = None, unit: str | None = None) -> dict[str, EchoColumns]:
    r"""Find time, real and imaginary part of measured echoes, or their magnitudes and phases.

    Names count where there are any; without them, three columns are time, real and imaginary part. Names may tell
    several echoes apart by what stands beside the part (``re1``, ``Im (tau=20us)``), or in a line above.

    Args:
        table: The table.
        order: Numbers of the columns of time, real and imaginary part, from 1, for instance ``1,3,2``, or of time and
            magnitude; None to go by their names.
        unit: Unit of the times: ns, us, ms or s; None for what their name says.

    Returns:
        Every echo by its name; the empty text is the name of an only one.

    Raises:
        ConfigurationError: ``order`` is not two or three different columns of the table.
        DataError: The names do not say which columns are meant, contradict ``unit``, or a number is not finite.

    Example:
        >>> from pathlib import Path
        >>> from nmr_platform.exchange.tables import parse_numbers
        >>> table = parse_numbers("t (ms);im1;re1;im2;re2\n0;1;2;0;1\n1;3;4;0;2", Path("a.csv"), fewest=2, titled=True)
        >>> columns = echo_columns(table)
        >>> [*columns], columns["1"].unit, columns["1"].signal.tolist()
        (['1', '2'], 'ms', [(2+1j), (4+3j)])
    """
    heading = find_heading(table)
    traces = _traces(table, heading) if order is None else [_ordered(order, table)]
    known = heading if heading is not None and len(heading.cells) == table.values.shape[1] else None
    return {trace.name: _echo(table, trace, known, unit) for trace in traces}


def echo_names(table: NumberTable) -> tuple[str, ...]:
    """Names of the echoes that `echo_columns` finds.

    Args:
        table: The table.

    Raises:
        DataError: The names of its columns do not say which are meant.
    """
    return tuple(trace.name for trace in _traces(table, find_heading(table)))


def _traces(table: NumberTable, heading: Heading | None) -> list[Trace]:
    if heading is None or (heading.is_units and not heading.units):
        return [_unnamed(table, heading)]
    return find_traces(table, heading)


def _ordered(order: str, table: NumberTable) -> Trace:
    width = table.values.shape[1]
    places = [int(part) - 1 if part.strip().isdecimal() else -1 for part in order.split(",")]
    if len(places) not in (2, 3) or len(set(places)) != len(places) or not all(0 <= place < width for place in places):
        message = (
            f"Argument `columns` must be three different numbers from 1 to {width}, the columns of time, real and "
            f"imaginary part in `{table.path}`, or two, of time and magnitude, but is {order!r}."
        )
        raise ConfigurationError(message, key="columns", value=order)
    return Trace("", places[0], places[1], places[2] if len(places) == 3 else None, is_polar=len(places) == 2)


def _unnamed(table: NumberTable, units: Heading | None) -> Trace:
    """Three columns in the order that needs no names."""
    width = table.values.shape[1]
    if width != 3:
        raise unclear(table, f"File `{table.path}` has {width} columns without names")
    if units is not None and units.times != [0]:
        raise unclear(table, f"File `{table.path}`, line {units.line}: the units do not begin with one of time")
    return Trace("", 0, 1, 2, is_polar=False)


def _echo(table: NumberTable, trace: Trace, heading: Heading | None, unit: str | None) -> EchoColumns:
    used = [column for column in (trace.time, trace.first, trace.second) if column is not None]
    table.require_finite(used)
    signal = _polar(table, trace, heading) if trace.is_polar else _cartesian(table, trace, heading)
    has_phase = trace.second is not None
    return EchoColumns(table.values[:, trace.time], signal, trace.time, _unit(table, heading, trace, unit), has_phase)


def _cartesian(table: NumberTable, trace: Trace, heading: Heading | None) -> NDArray[np.complex128]:
    """The signal of real and imaginary part, arbitrary unit, complex, shape (T,)."""
    channels = trace.first, trace.second or 0
    if heading is not None:
        units = [
            {SIGNAL_UNITS[word] for word in words_of(heading.described(column)) & SIGNAL_UNITS.keys()}
            for column in channels
        ]
        if all(units) and units[0] != units[1]:
            what = "give real and imaginary part different units, but they must have the same"
            message = f"{names_in(table, heading)} {what}."
            raise DataError(message, path=table.path)
    real, imaginary = (table.values[:, column] for column in channels)
    return real + 1j * imaginary


def _polar(table: NumberTable, trace: Trace, heading: Heading | None) -> NDArray[np.complex128]:
    """The signal of magnitude and phase, arbitrary unit, complex, shape (T,)."""
    magnitude = table.values[:, trace.first].astype(np.complex128)
    if (magnitude.real < 0).any():
        row = int(np.argmax(magnitude.real < 0))
        what = f"column {trace.first + 1} is {magnitude[row].real:g}, but a magnitude is never negative"
        raise unclear(table, f"File `{table.path}`, line {table.lines[row]}: {what}")
    if heading is not None and "db" in words_of(heading.described(trace.first)):
        message = f"{names_in(table, heading)} give the magnitude in dB, but it must be linear."
        raise DataError(message, path=table.path)
    if heading is None or trace.second is None:
        return magnitude
    radians = {PHASE_UNITS[word] for word in words_of(heading.described(trace.second)) & PHASE_UNITS.keys()}
    if len(radians) != 1:
        what = "do not say whether the phase is in deg or rad; write it behind its name"
        message = f"{names_in(table, heading)} {what}."
        raise DataError(message, path=table.path)
    turned: NDArray[np.complex128] = magnitude * np.exp(1j * radians.pop() * table.values[:, trace.second])
    return turned


def _unit(table: NumberTable, heading: Heading | None, trace: Trace, given: str | None) -> str | None:
    """The unit of the times: as given, or as their name tells it."""
    name = "" if heading is None else heading.described(trace.time)
    told, unknown = time_units(name), unknown_unit(name)
    if heading is not None and given is None and (unknown or len(told) > 1):
        message = (
            f"{names_in(table, heading)} give times in `{unknown or name}`, but ns, us, ms and s are known; say which "
            "one it is by `--unit`."
        )
        raise DataError(message, path=table.path)
    if given is not None and len(told) == 1 and not unknown and given not in told:
        message = (
            f"File `{table.path}` gives times in {min(told)} by the name `{name}`, but `--unit` says {given}; leave "
            "the option out, or mend the name."
        )
        raise DataError(message, path=table.path)
    return given or min(told, default=None)
