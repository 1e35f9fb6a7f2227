"""Measured records in the format of NMRPipe: one record, or the rows of a two-dimensional file."""

import re
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from nmr_platform.errors import DataError
from nmr_platform.exchange.format import Format
from nmr_platform.exchange.instruments.bruker import GROUP_DELAY, checked_delay, without_delay
from nmr_platform.exchange.records.record import INDEX, START, Record, choose
from nmr_platform.exchange.records.sweep import Sweep
from nmr_platform.exchange.records.told import Told
from nmr_platform.exchange.tables import MOST_OF_A_RECORD, MOST_OF_A_TABLE, check_file

__all__ = ["FORMAT", "read_nmrpipe"]

_HEADER_BYTES = 2048
_BYTE_ORDER_MARK, _NEARLY = 2.345, 1e-6
_BYTES_OF_A_POINT = 8
_NUCLEUS = re.compile(r"\d{1,3}[A-Z][a-z]?|[A-Z][a-z]?\d{1,3}")


def read_nmrpipe(
    path: str | Path,
    *,
    start: Annotated[float, START] = 0.0,
    index: Annotated[int | None, INDEX] = None,
    group_delay: Annotated[float | None, GROUP_DELAY] = None,
) -> Record:
    """Read a measured echo from a file of NMRPipe.

    Args:
        path: The file.
        start: Time of the first point after the first pulse, us; the file does not say.
        index: Which row of a two-dimensional file, from 0.
        group_delay: Delay of the digital filter in points, where the file names one (FDDMXVAL): it does not say
            whether it was taken out.

    Returns:
        The record.

    Raises:
        ConfigurationError: ``group_delay`` is negative.
        DataError: The file is damaged or something else, or ``index`` does not fit it.
    """
    path = Path(path)
    header = _header(path)
    length, count = _sizes(header, path)
    row = choose(count, index, path)
    points = np.fromfile(
        path, f"{header['order']}f4", 2 * length, offset=_HEADER_BYTES + _BYTES_OF_A_POINT * length * row
    )
    # All real parts come first.
    with np.errstate(invalid="ignore"):
        signal = points[:length].astype(np.float64) + 1j * points[length:].astype(np.float64)
    delay = _delay(header, group_delay, path)
    dwell, label = 1e6 / _positive(header, "FDF2SW", path), str(header["FDF2LABEL"])
    told = Told(
        nucleus=label if _NUCLEUS.fullmatch(label) else None,
        frequency=header["FDF2OBS"] if 0 < header["FDF2OBS"] < np.inf else None,
        dwell=dwell,
    )
    signal = without_delay(signal, delay, path)
    return Record(signal, start - delay % 1 * dwell, dwell, path, "nmrpipe", {"group_delay_points": delay}, told)


def _header(path: Path) -> dict[str, Any]:
    """The header's numbers by name, and the ``order`` of bytes."""
    import nmrglue  # noqa: PLC0415

    size = check_file(path, most=MOST_OF_A_TABLE)
    marks = {order: np.fromfile(path, f"{order}f4", 1, offset=8) for order in "<>"} if size >= _HEADER_BYTES else {}
    orders = [order for order, mark in marks.items() if abs(mark[0] - _BYTE_ORDER_MARK) < _NEARLY]
    if not orders:
        message = f"File `{path}` is damaged or not of NMRPipe: it has no header of theirs."
        raise DataError(message, path=path)
    try:
        header: dict[str, Any] = nmrglue.pipe.fdata2dic(nmrglue.pipe.get_fdata(str(path)))
    except ValueError as error:
        message = f"File `{path}` is damaged: a label in its header is not text."
        raise DataError(message, path=path) from error
    return header | {"order": orders[0]}


def _sizes(header: dict[str, Any], path: Path) -> tuple[int, int]:
    """Points of a record, and how many there are."""
    if header["FDF2FTFLAG"] or header["FDF1FTFLAG"]:
        message = f"File `{path}` is a spectrum (FDF2FTFLAG or FDF1FTFLAG is set), but an echo in time is needed."
        raise DataError(message, path=path)
    if header["FDF2QUADFLAG"] != 0 or header["FDTRANSPOSED"] != 0 or header["FDDIMCOUNT"] not in (1, 2):
        message = (
            f"File `{path}` must have one or two dimensions, the first one complex and in time, but has FDDIMCOUNT "
            f"{header['FDDIMCOUNT']:g}, FDF2QUADFLAG {header['FDF2QUADFLAG']:g} and FDTRANSPOSED "
            f"{header['FDTRANSPOSED']:g}."
        )
        raise DataError(message, path=path)
    length = _positive(header, "FDSIZE", path)
    held, rest = divmod(path.stat().st_size - _HEADER_BYTES, _BYTES_OF_A_POINT * length)
    count = 1 if header["FDDIMCOUNT"] == 1 else _positive(header, "FDSPECNUM", path)
    if length % 1 or _BYTES_OF_A_POINT * length > MOST_OF_A_RECORD or rest or held != count:
        message = f"File `{path}` is damaged: it does not hold the {count:g} times {length:g} points that it promises."
        raise DataError(message, path=path)
    return int(length), int(count)


def _positive(header: dict[str, Any], name: str, path: Path) -> float:
    number = float(header[name])
    if not 0 < number < np.inf:
        message = f"File `{path}`: {name} must be above zero, but is {number:g}."
        raise DataError(message, path=path)
    return number


def _delay(header: dict[str, Any], given: float | None, path: Path) -> float:
    """Points by which a digital filter delays the signal."""
    if given is None and header["FDDMXVAL"]:
        message = (
            f"File `{path}` names a group delay of {header['FDDMXVAL']:g} points (FDDMXVAL), but not whether it was "
            f"taken out: give it by `--group-delay`, 0 if it was."
        )
        raise DataError(message, path=path)
    return 0.0 if given is None else checked_delay(given)


FORMAT = Format(
    "nmrpipe",
    "a measured echo in the format of NMRPipe",
    read_nmrpipe,
    sweep=lambda path: Sweep(_sizes(_header(path), path)[1]),
    measured=True,
    suffixes=(".fid", ".ft", ".ft1", ".ft2", ".pipe"),
    # The header's first number is zero.
    begins=bytes(4),
)
