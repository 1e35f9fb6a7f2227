"""A measured record, before it is brought onto a sequence's time axis."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from nmr_platform.errors import DataError

__all__ = ["Record"]

_FEWEST_POINTS = 16


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
