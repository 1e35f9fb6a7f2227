"""Measured records as text: time, real part, imaginary part."""

from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nmr_platform.errors import DataError
from nmr_platform.exchange.record import Record

__all__ = ["TimeUnit", "read_delimited"]

TimeUnit = Literal["us", "ms", "s"]
_MICROSECONDS = {"us": 1.0, "ms": 1e3, "s": 1e6}
# How far a time may lie from an even grid, in units of its spacing: instruments print few digits.
_JITTER = 0.2


def read_delimited(path: str | Path, *, unit: TimeUnit = "us", start: float | None = None) -> Record:
    """Read a measured echo from columns of text.

    Args:
        path: File whose first three columns are time, real part and imaginary part, separated by commas, semicolons,
            tabs or spaces; lines that start with ``#`` and one line of names are skipped.
        unit: Unit of the times.
        start: Time of the first point after the first pulse in us, where the file counts from another moment.

    Returns:
        The record.

    Raises:
        DataError: The file is missing, is no such table, or its times are not evenly spaced.
    """
    path = Path(path)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        values = _numbers(lines)
    except (OSError, ValueError) as error:
        message = f"File `{path}` is not a table of time, real and imaginary part: {' '.join(str(error).split())}"
        raise DataError(message, path=path) from error
    if len(values) < 2:
        message = f"File `{path}` must have 2 rows of numbers or more, but has {len(values)}."
        raise DataError(message, path=path)
    time = values[:, 0] * _MICROSECONDS[unit]
    dwell = float(time[-1] - time[0]) / (len(time) - 1)
    even = time[0] + dwell * np.arange(len(time))
    # Written so that it also holds where a time is NaN.
    if not (dwell > 0 and np.abs(time - even).max() <= _JITTER * dwell):
        message = f"File `{path}` must have increasing, evenly spaced times in its first column, but has not."
        raise DataError(message, path=path)
    signal = values[:, 1] + 1j * values[:, 2]
    return Record(signal, float(time[0]) if start is None else start, dwell, path, "csv", {"time_unit": unit})


def _numbers(lines: list[str]) -> NDArray[np.float64]:
    """The first three columns of the lines that are neither empty nor comments nor names, shape (n, 3)."""
    rows = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    # A comma beside semicolons is a decimal comma, which is refused rather than misread.
    separator = ";" if any(";" in row for row in rows) else ","
    rows = [row.replace(separator, " ") for row in rows]
    body = rows if rows and _is_numbers(rows[0]) else rows[1:]
    return np.loadtxt(body or ["(empty)"], usecols=(0, 1, 2), ndmin=2)


def _is_numbers(line: str) -> bool:
    try:
        [float(part) for part in line.split()]
    except ValueError:
        return False
    return True
