"""Where the records of a Bruker experiment are in its file (``fid``, ``ser``), whole or left unfinished."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from nmr_platform.errors import DataError
from nmr_platform.exchange.instruments.bruker.parameters import Parameters
from nmr_platform.exchange.records.record import FEWEST_POINTS
from nmr_platform.exchange.tables import MOST_OF_A_RECORD, check_file

__all__ = ["Rows", "acqus_in"]

# Where records of a `ser` are filled up, they begin at multiples of this.
_BLOCK = 1024
_ANY_SIZE = 2**63


@dataclass(frozen=True)
class Rows:
    """The records of a file.

    Attributes:
        file: The file.
        dtype: Type of a value, real and imaginary part in turn.
        length: Values of a record.
        stride: Bytes from one record to the next.
        count: Number of records.
    """

    file: Path
    dtype: np.dtype[Any]
    length: int
    stride: int
    count: int

    @classmethod
    def of(cls, acquired: Parameters) -> Self:
        """Find them by the parameters beside the file.

        Raises:
            DataError: A parameter makes no sense, or the file has not one whole record.
        """
        file = _data_file(acquired.path.parent)
        acquired.choice("AQ_mod", (1, 3), "1 or 3, for both channels at once: an echo must be complex")
        order = ("<", ">")[acquired.choice("BYTORDA", (0, 1), "0 or 1")]
        kind = "i4" if acquired.choice("DTYPA", (0, 2), "0 (integers) or 2 (doubles)", default=0) == 0 else "f8"
        dtype = np.dtype(f"{order}{kind}")
        values = acquired.positive("TD")
        if values % 2 or values < 2 * FEWEST_POINTS or values * dtype.itemsize > MOST_OF_A_RECORD:
            most = MOST_OF_A_RECORD // dtype.itemsize
            message = f"File `{acquired.path}`: TD must be even, from {2 * FEWEST_POINTS} to {most}, but is {values:g}."
            raise DataError(message, path=acquired.path)
        size, length = check_file(file, most=_ANY_SIZE), int(values) * dtype.itemsize
        if size < length:
            held = f"holds {size // dtype.itemsize // 2} complex points" if size else "is empty"
            message = f"File `{file}` {held}, but TD of its `acqus` promises {int(values) // 2}."
            raise DataError(message, path=file)
        several = acquired.path.with_name("acqu2s")
        if file.name != "ser" and not several.exists():
            return cls(file, dtype, int(values), length, 1)
        promised = Parameters.read(several).number("TD", default=0.0) if several.exists() else 0.0
        stride = _stride(file, size, length, promised)
        return cls(file, dtype, int(values), stride, (size - length) // stride + 1)

    @cached_property
    def measured(self) -> int:
        """How many were measured, at least one: the last ones of a sweep that was stopped are zeros, or not there."""
        return next((row + 1 for row in reversed(range(self.count)) if self._values(row).any()), 1)

    def points(self, row: int) -> NDArray[np.complex128]:
        """The points of one record, by its number from 0: arbitrary unit, complex, shape (T,)."""
        read = self._values(row).astype(np.float64)
        return read[::2] + 1j * read[1::2]

    def _values(self, row: int) -> NDArray[Any]:
        return np.fromfile(self.file, self.dtype, count=self.length, offset=row * self.stride)


def _stride(file: Path, size: int, length: int, promised: float) -> int:
    """Bytes from one record to the next: TopSpin fills whole blocks up with zeros, newer and other programs need not.

    A file that is as long as the ``promised`` number of records decides it; of an unfinished one the filling does.
    """
    padded = -(-length // _BLOCK) * _BLOCK
    if size < padded or size == promised * length:
        return length
    if size == promised * padded:
        return padded
    filling = np.fromfile(file, np.uint8, count=padded - length, offset=length)
    is_padded = not filling.any() or (size % padded == 0 and size % length != 0)
    return padded if is_padded else length


def acqus_in(folder: Path) -> Path:
    """The file of the parameters of an experiment, which must have its points, too."""
    _data_file(folder)
    return folder / "acqus"


def _data_file(folder: Path) -> Path:
    """The file of the points."""
    files = [folder / name for name in ("fid", "ser") if (folder / name).exists()]
    if not (folder / "acqus").exists() or not files:
        spectra = ", and spectra are no echoes" if (folder / "pdata").is_dir() else ""
        message = f"Folder `{folder}` is not a Bruker experiment: it needs `acqus`, and `fid` or `ser`{spectra}."
        raise DataError(message, path=folder)
    if len(files) > 1:
        message = f"Folder `{folder}` has `fid` and `ser`, but must have one of them: which one is meant?"
        raise DataError(message, path=folder)
    return files[0]
