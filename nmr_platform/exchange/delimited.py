"""Measured echoes as columns of text."""

from pathlib import Path
from typing import Annotated, Literal

from nmr_platform.exchange.format import Format, Option
from nmr_platform.exchange.record import START, Record
from nmr_platform.exchange.tables import (
    MOST_OF_A_RECORD,
    decoded,
    echo_columns,
    parse_numbers,
    read_content,
    spacing_of,
)

__all__ = ["FORMAT", "TimeUnit", "read_delimited"]

TimeUnit = Literal["ns", "us", "ms", "s"]
_MICROSECONDS = {"ns": 1e-3, "us": 1.0, "ms": 1e3, "s": 1e6}


def read_delimited(
    path: str | Path,
    *,
    unit: Annotated[TimeUnit | None, Option("unit of its times; by default what their name says, or us")] = None,
    columns: Annotated[str | None, Option("which are time, real, imaginary: 1,3,2; by default by their names")] = None,
    start: Annotated[float | None, START] = None,
) -> Record:
    """Read a measured echo from columns of text.

    Columns are found by their names; without names, there must be three, time, real and imaginary part. Names may be
    those of other programs and languages (``t [ms]``, ``Zeit``, ``Re``, ``M_x``, ``I`` and ``Q``, magnitude and phase
    in deg or rad), further columns are skipped, and whatever is not clear is refused. Numbers may be separated by
    commas, semicolons, tabs or blanks, and have decimal points or commas; the encoding is found out.

    Args:
        path: The file; lines that start with ``#``, ``%``, ``!`` or ``//`` are skipped.
        unit: Unit of the times, where their name does not tell it.
        columns: Numbers of the columns of time, real and imaginary part, from 1, for instance ``1,3,2``.
        start: Time of the first point after the first pulse in us, where the file counts from another moment.

    Returns:
        The record.

    Raises:
        ConfigurationError: ``columns`` does not fit the file.
        DataError: The file is missing, is no such table, or its times are not evenly spaced.

    Example:
        >>> import numpy as np
        >>> np.savetxt("echo.csv", [[k / 4, k, 0] for k in range(16)], header="t/ms imag real")
        >>> record = read_delimited("echo.csv")
        >>> record.dwell, record.signal[2]
        (250.0, np.complex128(2j))
    """
    path = Path(path)
    table = parse_numbers(decoded(read_content(path, most=MOST_OF_A_RECORD), path), path, fewest=2, titled=True)
    echo = echo_columns(table, order=columns, unit=unit)
    dwell = spacing_of(echo.time, table, echo.time_column) * _MICROSECONDS[echo.unit]
    begin = float(echo.time[0]) * _MICROSECONDS[echo.unit]
    return Record(echo.signal, begin if start is None else start, dwell, path, "csv", {"time_unit": echo.unit})


FORMAT = Format(
    "record",
    "a measured echo as text, with columns of time, real and imaginary part",
    read_delimited,
    measured=True,
    simulated=True,
    suffixes=(".csv", ".txt", ".dat", ".tsv"),
)
