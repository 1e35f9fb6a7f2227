"""Measured records: a complex signal on evenly spaced times, and the format that keeps one as text."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from nmr_platform.errors import DataError
from nmr_platform.exchange.format import Format, Option
from nmr_platform.exchange.tables import (
    MOST_OF_A_RECORD,
    decoded,
    echo_columns,
    parse_numbers,
    read_content,
    spacing_of,
)

__all__ = ["FEWEST_POINTS", "FORMAT", "INDEX", "START", "Record", "TimeUnit", "choose", "read_delimited"]

TimeUnit = Literal["ns", "us", "ms", "s"]
_MICROSECONDS = {"ns": 1e-3, "us": 1.0, "ms": 1e3, "s": 1e6}
# Squares of it still are numbers; damaged floating-point numbers are often larger.
_LARGEST = 1e30
FEWEST_POINTS = 16
"""Points that a record needs."""

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
        if len(self.signal) < FEWEST_POINTS:
            message = f"`{self.source}` has {len(self.signal)} points, but a record needs {FEWEST_POINTS} or more."
            raise DataError(message, path=self.source)
        if not self.signal.any():
            message = f"`{self.source}`: every point is zero, as where nothing was recorded."
            raise DataError(message, path=self.source)
        sound = np.abs(self.signal) <= _LARGEST
        if not sound.all():
            point = int(np.argmin(sound))
            message = f"`{self.source}`: point {point + 1} is not a finite number, or larger than {_LARGEST:g}."
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


def choose(n_records: int, index: int | None, path: Path) -> int:
    """Which of the records that a file or folder holds is meant.

    Args:
        n_records: How many there are, one or more.
        index: Which one, from 0; None if there is only one.
        path: The file or folder.

    Raises:
        DataError: There are several and ``index`` is None, or there is none of that number.

    Example:
        >>> choose(1, None, Path("echo.tnt")), choose(8, 3, Path("echo.tnt"))
        (0, 3)
    """
    if index is None and n_records > 1:
        what = "Folder" if path.is_dir() else "File"
        message = f"{what} `{path}` holds {n_records} records; say which one by `index`."
        raise DataError(message, path=path)
    if not 0 <= (index or 0) < n_records:
        message = f"Argument `index` must be from 0 to {n_records - 1}, the records of `{path}`, but is {index}."
        raise DataError(message, path=path)
    return index or 0


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
