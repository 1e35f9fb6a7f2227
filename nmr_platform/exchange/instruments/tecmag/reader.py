"""Read ``.tnt``: a record, or a window of one, is chosen."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from nmr_platform.errors import DataError
from nmr_platform.exchange.format import Format
from nmr_platform.exchange.instruments.tecmag.sequence import PulseSequence
from nmr_platform.exchange.records.record import INDEX, START, Record, choose
from nmr_platform.exchange.records.sweep import Sweep
from nmr_platform.exchange.records.told import Told
from nmr_platform.exchange.tables import MOST_OF_A_RECORD, MOST_OF_A_TABLE, check_file

__all__ = ["FORMAT", "read_tecmag"]

_BYTES_OF_A_POINT = 8


def read_tecmag(
    path: str | Path, *, start: Annotated[float, START] = 0.0, index: Annotated[int | None, INDEX] = None
) -> Record:
    """Read a measured echo from a ``.tnt`` file.

    A file whose points were recorded in windows (of ``acq_points`` each, for instance around every echo of a train)
    does not say what lies between them: every window is a record of its own.

    Args:
        path: The file.
        start: Time of the first point of the record after the first pulse, us; the file does not say.
        index: Which record of a file of several, from 0, windows running fastest and then the second dimension.

    Returns:
        The record.

    Raises:
        DataError: The file is missing, damaged or something else, or ``index`` does not fit it.
    """
    path = Path(path)
    header, points = _read(path)
    windows = _window(header, points.shape[0], path)
    length = points.shape[0] // windows
    records = points.reshape(points.shape[0], -1, order="F").T
    chosen = choose(len(records) * windows, index, path)
    first = chosen % windows * length
    # Some bits make a number that warns of itself; `Record` refuses it by its place.
    with np.errstate(invalid="ignore"):
        signal = np.array(records[chosen // windows, first : first + length], np.complex128)
    told = _told(header, path)
    told = replace(told, swept=_swept(header, windows, path).of(chosen))
    return Record(signal, start, 1e6 * float(header["dwell"][0]), path, "tecmag", told=told)


def _told(header: Mapping[str, Any], path: Path) -> Told:
    sequence = PulseSequence.of(path)
    return Told(
        nucleus=_text(header["nuclei"][0]),
        frequency=_positive(header["ob_freq"][0]),
        field=_positive(header["magnet_field"]),
        dwell=_positive(1e6 * float(header["dwell"][0])),
        scans=int(header["actual_scans"]) or None,
        sequence=_text(header["sequence"]),
        times=sequence.times,
        phases=sequence.phases,
    )


def _swept(header: Mapping[str, Any], windows: int, path: Path) -> Sweep:
    """What tells the records apart; windows of one record are not told apart."""
    count = int(np.prod(header["actual_npts"][1:], dtype=np.int64)) * windows
    alone = windows == 1 and count == header["actual_npts"][1]
    return PulseSequence.of(path).sweep(int(header["npts"][1]), count) if alone else Sweep(count)


def _sweep(path: Path) -> Sweep:
    header, points = _read(path)
    return _swept(header, _window(header, points.shape[0], path), path)


def _text(value: bytes) -> str | None:
    return bytes(value).split(b"\0")[0].decode("ascii", "replace") or None


def _positive(number: float) -> float | None:
    return float(number) if 0 < number < np.inf else None


def _read(path: Path) -> tuple[dict[str, Any], NDArray[np.complex64]]:
    """Header and points of a file, the points left on disk, of up to four dimensions."""
    import nmrglue  # noqa: PLC0415

    check_file(path, most=MOST_OF_A_TABLE)
    try:
        header, points = nmrglue.tecmag.read(str(path))
    # nmrglue checks the lengths of the sections by assertions.
    except (OSError, ValueError, KeyError, AssertionError, OverflowError) as error:
        message = f"File `{path}` is damaged or not a Tecmag file: {error!s}".rstrip(": ") + "."
        raise DataError(message, path=path) from error
    if header["fft_flag"][0]:
        message = f"File `{path}` is a spectrum (fft_flag is set), but an echo in time is needed."
        raise DataError(message, path=path)
    return header, points


def _window(header: dict[str, Any], n_points: int, path: Path) -> int:
    """Number of windows in which the points of the first dimension were recorded."""
    recorded = int(header["acq_points"])
    if n_points * _BYTES_OF_A_POINT > MOST_OF_A_RECORD:
        message = (
            f"File `{path}` has records of {n_points} points, but {MOST_OF_A_RECORD // _BYTES_OF_A_POINT} are allowed."
        )
        raise DataError(message, path=path)
    if recorded <= 0 or recorded == n_points:
        return 1
    if recorded > n_points or n_points % recorded:
        message = (
            f"File `{path}` has {n_points} points, but acq_points says that {recorded} were recorded at a time, which "
            "is no whole part of them."
        )
        raise DataError(message, path=path)
    return n_points // recorded


FORMAT = Format(
    "tecmag", "a measured echo, a `.tnt` file", read_tecmag, sweep=_sweep, measured=True, suffixes=(".tnt",)
)
