"""Measured records from Magritek spectrometers: ``.1d`` and ``.2d`` files of Prospa (Kea) and Spinsolve.

A file begins with the texts PROS and DATA and a version, each of four bytes from right to left, then the type of the
data and their sizes as little-endian integers. Type 501 is complex, 504 has an axis before the complex numbers; both
are float32. (Told by files of these programs, and by the projects DNPLab and nmrglue.) Beside it, ``acqu.par`` has
lines ``name = value``.
"""

from collections.abc import Callable, Mapping
from math import isfinite
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nmr_platform.errors import DataError
from nmr_platform.exchange.format import Format, Option
from nmr_platform.exchange.records.record import INDEX, START, Record, choose
from nmr_platform.exchange.records.sweep import Sweep
from nmr_platform.exchange.records.told import Told
from nmr_platform.exchange.tables import MOST_OF_A_RECORD, MOST_OF_A_TABLE, check_file, decoded, read_content

__all__ = ["FORMAT", "read_kea"]

_BEGINNING = b"SORPATAD"
# After the version: the type, and the sizes of which the earliest files have one less.
_INTEGERS = {b"0.1V": 4, b"1.1V": 5}
_COMPLEX, _WITH_AXIS = 501, 504
_WORD = 4
_MOST_PARAMETERS = 2**20
# The axis in a file is made of the acquisition time, which is rounded to three digits.
_ROUNDING = 0.01
_MICROSECONDS = {"pulseLength": 1.0, "acqDelay": 1.0, "echoTime": 1.0, "repTime": 1e3}


class _Header(NamedTuple):
    """What a file begins with.

    Attributes:
        offset: Bytes of it, the axis included.
        axis: Last time on the axis, in a unit of the program's; None without an axis.
        length: Points of a record.
        rows: Number of records.
    """

    offset: int
    axis: float | None
    length: int
    rows: int


def read_kea(
    path: str | Path,
    *,
    start: Annotated[float, START] = 0.0,
    index: Annotated[int | None, INDEX] = None,
    dwell: Annotated[float | None, Option("us between points; by default acqu.par beside the file says it")] = None,
) -> Record:
    """Read a measured echo from a ``.1d`` or ``.2d`` file.

    The time between points is that of ``acqu.par``: the axis in a file is made of a rounded acquisition time.

    Args:
        path: The file.
        start: Time of the first point after the first pulse, us; the file does not say.
        index: Which record of a ``.2d`` file, from 0.
        dwell: Time between points, us, where there is no ``acqu.par``.

    Returns:
        The record.

    Raises:
        DataError: The file is damaged or something else, ``index`` does not fit it, or nobody says the dwell time.
    """
    path = Path(path)
    header, parameters = _header(path), _parameters(path)
    row = choose(header.rows, index, path)
    points = np.fromfile(path, "<f4", 2 * header.length, offset=header.offset + 8 * header.length * row)
    with np.errstate(invalid="ignore"):
        signal = points[::2].astype(np.float64) + 1j * points[1::2].astype(np.float64)
    told = _told(parameters, _swept(parameters, header.rows).of(row))
    return Record(signal, start, _dwell(parameters, dwell, header, path), path, "kea", told=told)


def _header(path: Path) -> _Header:
    size = check_file(path, most=MOST_OF_A_TABLE)
    with path.open("rb") as file:
        head = file.read(len(_BEGINNING) + (1 + 5) * _WORD)
    version = head[8:12]
    if not head.startswith(_BEGINNING) or version not in _INTEGERS:
        message = f"File `{path}` is damaged or not of Prospa or Spinsolve: it does not begin as theirs do."
        raise DataError(message, path=path)
    offset = 12 + _INTEGERS[version] * _WORD
    kind, length, *others = np.frombuffer(head[12:offset].ljust(offset - 12, b"\0"), "<i4").tolist()
    if kind not in (_COMPLEX, _WITH_AXIS):
        message = f"File `{path}` has data of type {kind}, but an echo must be complex ({_COMPLEX} or {_WITH_AXIS})."
        raise DataError(message, path=path)
    count = int(np.prod(others, dtype=object))
    axis = _WORD * length if kind == _WITH_AXIS else 0
    if min(length, *others) < 1 or 8 * length > MOST_OF_A_RECORD or size != offset + axis + 8 * length * count:
        shown = " x ".join(map(str, (length, *others)))
        message = f"File `{path}` is damaged: {size} bytes cannot hold the {shown} points that it promises."
        raise DataError(message, path=path)
    return _Header(offset + axis, _last_time(path, offset, length) if axis else None, length, count)


def _last_time(path: Path, offset: int, length: int) -> float:
    """Last time on the axis, which is one of times if it begins at zero."""
    axis = np.fromfile(path, "<f4", length, offset=offset)
    if axis[0] != 0 or not 0 < axis[-1] < np.inf:
        message = (
            f"File `{path}` is a spectrum or something else, but an echo in time is needed: its axis goes from "
            f"{axis[0]:g} to {axis[-1]:g} and not from zero on."
        )
        raise DataError(message, path=path)
    return float(axis[-1])


def _dwell(parameters: Mapping[str, str], given: float | None, header: _Header, path: Path) -> float:
    """Time between points, us: the one that is given, or that of the parameters if they are of this record."""
    if given is not None:
        return given
    dwell = _dwell_of(parameters)
    if dwell is None:
        message = f"File `{path}` does not say its dwell time, nor does `acqu.par` beside it: give `--dwell` in us."
        raise DataError(message, path=path)
    points = _number(parameters, "nrPnts")
    is_other = points is not None and points != header.length
    if header.axis is not None:
        # Times are in us in Prospa, and in ms in Spinsolve.
        ratios = [header.axis / (dwell * (header.length - 1)) * unit for unit in (1.0, 1e3, 1e6)]
        is_other |= not any(abs(ratio - 1) < _ROUNDING for ratio in ratios)
    if is_other:
        message = (
            f"File `{path}` has {header.length} points{f' until {header.axis:g}' if header.axis else ''}, but "
            f"`acqu.par` beside it says {points or header.length:g}, one every {dwell:g} us: it holds something else "
            "than an echo, or give `--dwell` in us."
        )
        raise DataError(message, path=path)
    return dwell


def _dwell_of(parameters: Mapping[str, str]) -> float | None:
    bandwidth = _number(parameters, "bandwidth")
    return _number(parameters, "dwellTime") or (1e3 / bandwidth if bandwidth else None)


def _parameters(path: Path) -> Mapping[str, str]:
    """The lines of ``acqu.par`` beside a file; none if it is not there."""
    beside = path.parent / "acqu.par"
    if not beside.is_file():
        return {}
    lines = decoded(read_content(beside, most=_MOST_PARAMETERS), beside).splitlines()
    pairs = (line.partition("=") for line in lines)
    return {name.strip(): value.strip().strip('"') for name, _, value in pairs}


def _told(parameters: Mapping[str, str], swept: Mapping[str, float]) -> Told:
    units = {name: unit for name in parameters for start, unit in _MICROSECONDS.items() if name.startswith(start)}
    times = {name: _number(parameters, name) for name in units}
    scans = _number(parameters, "nrScans")
    return Told(
        nucleus=parameters.get("nucleus") or parameters.get("rxChannel") or None,
        frequency=_number(parameters, "b1Freq"),
        dwell=_dwell_of(parameters),
        scans=int(scans) if scans else None,
        sequence=parameters.get("experiment") or None,
        times={name: units[name] * value for name, value in times.items() if value},
        swept=swept,
    )


def _swept(parameters: Mapping[str, str], count: int) -> Sweep:
    """Records at delays from ``minDelay`` to ``maxDelay`` (ms), evenly or logarithmically spaced."""
    first, last = _number(parameters, "minDelay"), _number(parameters, "maxDelay")
    spacing = parameters.get("delaySpacing")
    known = first is not None and last is not None and _number(parameters, "nrSteps") == count
    if count < 2 or not known or spacing not in ("lin", "log"):
        return Sweep(count)
    space: Callable[..., NDArray[np.float64]] = np.linspace if spacing == "lin" else np.geomspace
    return Sweep(count, "tau", tuple(float(f"{1e3 * delay:.9g}") for delay in space(first, last, count)))


def _number(parameters: Mapping[str, str], name: str) -> float | None:
    """A number above zero; frequencies end in a ``d``."""
    try:
        number = float(parameters.get(name, "").removesuffix("d"))
    except ValueError:
        return None
    return number if isfinite(number) and number > 0 else None


FORMAT = Format(
    "kea",
    "a measured echo of Prospa (Kea) or Spinsolve, a `.1d` or `.2d` file with `acqu.par` beside it",
    read_kea,
    sweep=lambda path: _swept(_parameters(path), _header(path).rows),
    measured=True,
    suffixes=(".1d", ".2d"),
)
