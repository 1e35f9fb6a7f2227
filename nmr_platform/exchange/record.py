"""Measured records: a complex signal on evenly spaced times, and the format that keeps one as text."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from nmr_platform.errors import DataError
from nmr_platform.exchange.format import Format, Option

__all__ = ["FORMAT", "INDEX", "START", "Record", "TimeUnit", "pick", "read_delimited"]

TimeUnit = Literal["us", "ms", "s"]
_MICROSECONDS = {"us": 1.0, "ms": 1e3, "s": 1e6}
# How far a time may lie from an even grid, in units of its spacing: instruments print few digits.
_JITTER = 0.2
_FEWEST_POINTS = 16

START = Option("us from the first pulse to the first point")
INDEX = Option("which record of several", least=0)


@dataclass(frozen=True)
class Record:
    """A complex signal on evenly spaced times.

    Attributes:
        signal: Real plus i times imaginary channel, arbitrary unit, complex, shape (T,).
        start: Time of the first point after the first pulse, us.
        dwell: Time between points, us.
        source: The file that it comes from.
        source_format: What that file is.
        details: Facts about the measurement, for the attributes of the data set.
    """

    signal: NDArray[np.complex128]
    start: float
    dwell: float
    source: Path
    source_format: str
    details: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.signal) < _FEWEST_POINTS:
            message = f"`{self.source}` has {len(self.signal)} points, but a record needs {_FEWEST_POINTS} or more."
            raise DataError(message, path=self.source)
        if not np.isfinite(self.signal).all():
            point = int(np.flatnonzero(~np.isfinite(self.signal))[0])
            message = f"`{self.source}`: point {point + 1} is not a finite number."
            raise DataError(message, path=self.source)
        if not (np.isfinite(self.dwell) and self.dwell > 0):
            message = f"`{self.source}`: the time between points must be positive, but is {self.dwell} us."
            raise DataError(message, path=self.source)

    @property
    def time(self) -> NDArray[np.float64]:
        """Time of every point after the first pulse, us, shape (T,)."""
        return self.start + self.dwell * np.arange(len(self.signal), dtype=np.float64)

    def with_signal(self, signal: NDArray[np.complex128]) -> Self:
        """The same times with another signal of the same shape."""
        return replace(self, signal=signal)


def pick(records: NDArray[Any], index: int | None, path: Path) -> NDArray[Any]:
    """One of the records that a file or folder holds.

    Args:
        records: All of them, arbitrary unit, shape (n, T).
        index: Which one, from 0; None if there is only one.
        path: The file or folder.

    Returns:
        The record, arbitrary unit, shape (T,).

    Raises:
        DataError: There are several and ``index`` is None, or there is none of that number.
    """
    if index is None and len(records) > 1:
        what = "Folder" if path.is_dir() else "File"
        message = f"{what} `{path}` holds {len(records)} records; say which one by `index`."
        raise DataError(message, path=path)
    if not 0 <= (index or 0) < len(records):
        message = f"Argument `index` must be from 0 to {len(records) - 1}, the records of `{path}`, but is {index}."
        raise DataError(message, path=path)
    return np.asarray(records[index or 0])


def read_delimited(
    path: str | Path,
    *,
    unit: Annotated[TimeUnit, Option("unit of its times")] = "us",
    start: Annotated[float | None, START] = None,
) -> Record:
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

    Example:
        >>> np.savetxt("echo.csv", [[k / 4, k, 0] for k in range(16)])
        >>> record = read_delimited("echo.csv", unit="ms")
        >>> record.dwell, record.signal[2]
        (250.0, np.complex128(2+0j))
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


FORMAT = Format(
    "record",
    "a measured echo as text, with columns time, real, imaginary",
    read_delimited,
    measured=True,
    suffixes=(".csv", ".txt", ".dat", ".tsv"),
)
