"""Read ``fid`` and ``ser``: a record is chosen, and the delay of the digital filter taken out of it."""

from math import isfinite
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from nmr_platform.errors import ConfigurationError, DataError
from nmr_platform.exchange.bruker.parameters import Parameters
from nmr_platform.exchange.format import Format, Option
from nmr_platform.exchange.record import FEWEST_POINTS, INDEX, START, Record, choose
from nmr_platform.exchange.tables import MOST_OF_A_RECORD, check_file

__all__ = ["FORMAT", "read_bruker"]

# Records of a `ser` begin at multiples of this.
_BLOCK = 1024
_ANY_SIZE = 2**63
# nmrglue takes so many points more than the delay from the end of a record.
_SKIPPED = 2


def read_bruker(
    folder: str | Path,
    *,
    start: Annotated[float, START] = 0.0,
    index: Annotated[int | None, INDEX] = None,
    group_delay: Annotated[
        float | None,
        Option("delay of the digital filter in points, 0 if it was taken out; by default acqus says it", 0),
    ] = None,
) -> Record:
    """Read a measured echo from a Bruker folder (``fid`` or ``ser``, and ``acqus``).

    nmrglue takes the whole points of the digital filter's group delay out (GRPDLY, or by DECIM and DSPFVS), which
    costs about as many at the end of the record; the fraction of a point that is left is taken from the times.

    Args:
        folder: The experiment's folder.
        start: Time of the first point after the first pulse, us; the files do not say.
        index: Which record of a ``ser`` file, from 0; one that was not finished has fewer than its parameters say.
        group_delay: Delay of the digital filter in points, where ``acqus`` does not tell it.

    Returns:
        The record.

    Raises:
        ConfigurationError: ``group_delay`` is negative.
        DataError: The folder is not what it should be, or ``index`` does not fit it.
    """
    folder = Path(folder)
    file = _data_file(folder)
    acquired = Parameters.read(folder / "acqus")
    dwell = 1e6 / acquired.positive("SW_h")
    points = _points(file, acquired, index)
    delay = _group_delay(acquired) if group_delay is None else _checked(group_delay)
    if delay:
        points = _without_delay(points, delay, folder)
    details = {"nucleus": acquired.texts.get("NUC1", "").strip("<>"), "group_delay_points": delay}
    return Record(points, start - delay % 1 * dwell, dwell, folder, "bruker", details)


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


def _points(file: Path, acquired: Parameters, index: int | None) -> NDArray[np.complex128]:
    """The points of one record, arbitrary unit, complex, shape (T,)."""
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
    stride = _stride(file, size, length)
    several = file.name == "ser" or (file.parent / "acqu2s").exists()
    row = choose((size - length) // stride + 1 if several else 1, index, file.parent)
    read = np.fromfile(file, dtype, count=int(values), offset=row * stride).astype(np.float64)
    return read[::2] + 1j * read[1::2]


def _stride(file: Path, size: int, length: int) -> int:
    """Bytes from one record to the next: whole blocks, filled with zeros, unless a program left the filling out."""
    padded = -(-length // _BLOCK) * _BLOCK
    if size < padded:
        return length
    filling = np.fromfile(file, np.uint8, count=padded - length, offset=length)
    is_padded = not filling.any() or (size % padded == 0 and size % length != 0)
    return padded if is_padded else length


def _group_delay(acquired: Parameters) -> float:
    """Points by which the digital filter delays the signal."""
    stated = acquired.number("GRPDLY", default=-1.0)
    if stated > 0:
        return stated
    decimation, version = acquired.number("DECIM", default=None if "DECIM" in acquired.texts else 1), 0.0
    # Without decimation there is no filter.
    if decimation <= 1 or acquired.number("DIGMOD", default=1) == 0:
        return 0.0
    version = acquired.number("DSPFVS", default=None if "DSPFVS" in acquired.texts else 0)
    # Firmware from 14 on states its delay, and a delay that was taken out as 0.
    if version >= 14 and stated == 0:
        return 0.0
    from nmrglue.fileio.bruker import bruker_dsp_table  # noqa: PLC0415

    table: dict[int, float] = bruker_dsp_table.get(int(version), {}) if version < 14 else {}
    if decimation not in table:
        message = (
            f"Folder `{acquired.path.parent}`: no group delay is known for DSPFVS = {version:g} and DECIM = "
            f"{decimation:g}; give it by `--group-delay` in points, 0 if it was taken out."
        )
        raise DataError(message, path=acquired.path)
    return table[int(decimation)]


def _checked(group_delay: float) -> float:
    if not (isfinite(group_delay) and group_delay >= 0):
        message = f"Argument `group_delay` must be 0 or more points, but is {group_delay}."
        raise ConfigurationError(message, key="group_delay", value=group_delay)
    return float(group_delay)


def _without_delay(points: NDArray[np.complex128], delay: float, folder: Path) -> NDArray[np.complex128]:
    if delay + _SKIPPED + FEWEST_POINTS > len(points):
        message = f"Folder `{folder}`: the group delay of {delay:g} points leaves too few of {len(points)}."
        raise DataError(message, path=folder)
    from nmrglue.fileio.bruker import rm_dig_filter  # noqa: PLC0415

    remaining: Any = rm_dig_filter(points, 0, 0, delay)
    return np.asarray(remaining, np.complex128)


FORMAT = Format(
    "bruker",
    "a measured echo, a folder with `acqus`, and `fid` or `ser`",
    read_bruker,
    measured=True,
    sniff=lambda folder: (folder / "acqus").exists(),
)
