"""Measured records: a complex signal on evenly spaced times, and what their readers share."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from nmr_platform.errors import DataError
from nmr_platform.exchange.format import Option
from nmr_platform.exchange.records.told import Told

__all__ = ["FEWEST_POINTS", "INDEX", "START", "Record", "choose"]

# Squares of it still are numbers; damaged floating-point numbers are often larger.
_LARGEST = 1e30
FEWEST_POINTS = 16
"""Points that a record needs."""

START = Option("us from the first pulse to the first point")
INDEX = Option("which record of several", least=0, chooses=True)


@dataclass(frozen=True)
class Record:
    """A complex signal on evenly spaced times.

    Attributes:
        signal: Real plus i times imaginary channel, arbitrary unit, complex, shape (T,).
        start: Time of the first point after the first pulse, us.
        dwell: Time between points, us.
        source: The file that it comes from.
        source_format: What that file is.
        details: Facts about how it was read, for the attributes of the data set.
        told: What its file says of the measurement.
        has_phase: Whether there is more than its magnitude, which ``signal`` is otherwise.
    """

    signal: NDArray[np.complex128]
    start: float
    dwell: float
    source: Path
    source_format: str
    details: dict[str, Any] = field(default_factory=dict)
    told: Told = field(default_factory=Told)
    has_phase: bool = True

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
