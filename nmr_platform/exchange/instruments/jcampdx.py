"""Measured records in JCAMP-DX: a block of data type NMR FID with real and imaginary part."""

import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from nmr_platform.errors import DataError
from nmr_platform.exchange.format import Format
from nmr_platform.exchange.instruments.bruker import GROUP_DELAY, Parameters, delay_of, without_delay
from nmr_platform.exchange.records.record import START, Record
from nmr_platform.exchange.records.told import Told
from nmr_platform.exchange.tables import MOST_OF_A_RECORD, decoded, read_content

__all__ = ["FORMAT", "read_jcampdx"]

Block = Mapping[str, list[str]]

# Digits that stand for a repetition in compressed data, which could go on for ever in a damaged file.
_REPEATED = re.compile(r"[S-Zs](\d*)")
_MOST_POINTS = MOST_OF_A_RECORD // 8
# nmrglue warns of what it leaves out.
_FATAL = re.compile("multiple|fail|error|unknown|can't|without associated", re.IGNORECASE)
# What is said of each column.
_TUPLES = ("SYMBOL", "UNITS", "VARDIM", "FIRST", "LAST")
_SECONDS = {"SECONDS", "SECOND", "SEC", "S"}


def read_jcampdx(
    path: str | Path,
    *,
    start: Annotated[float, START] = 0.0,
    group_delay: Annotated[float | None, GROUP_DELAY] = None,
) -> Record:
    """Read a measured echo from a JCAMP-DX file.

    Where the file has Bruker's parameters (``$GRPDLY``, or ``$DECIM`` and ``$DSPFVS``), the delay of the digital filter
    is taken out as from a Bruker folder.

    Args:
        path: The file.
        start: Time of the first point after the first pulse, us, in place of what the file says.
        group_delay: Delay of the digital filter in points, 0 if it was taken out.

    Returns:
        The record.

    Raises:
        ConfigurationError: ``group_delay`` is negative.
        DataError: The file is damaged, a spectrum or something else, or has one channel or several records.
    """
    path = Path(path)
    block, parts = _block(path)
    signal = parts[0] + 1j * parts[1]
    dwell = _dwell(block, len(signal), path)
    own = {name[1:]: values[0] for name, values in block.items() if name.startswith("$") and values}
    parameters = Parameters(path, own | {"SW_h": own.get("SWH", "")})
    delay = delay_of(parameters, group_delay)
    told = _told(block, parameters, dwell)
    signal = without_delay(signal, delay, path)
    return Record(signal, start - delay % 1 * dwell, dwell, path, "jcampdx", {"group_delay_points": delay}, told)


def _block(path: Path) -> tuple[Block, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """The block of the record, and its real and imaginary part, each of shape (T,)."""
    import nmrglue  # noqa: PLC0415

    _check_size(decoded(read_content(path, most=MOST_OF_A_RECORD), path), path)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            block, data = nmrglue.jcampdx.read(str(path))
            if _type_of(block) != "NMRFID" and "_datatype_NMRFID" in block:
                # Of several blocks nmrglue prefers spectra.
                block = block["_datatype_NMRFID"][0]
                data = nmrglue.jcampdx.getdataarray(block)
        except (ValueError, LookupError, TypeError, AttributeError, OverflowError, OSError) as error:
            message = f"File `{path}` cannot be read as JCAMP-DX: {_line(str(error))}."
            raise DataError(message, path=path) from error
    trouble = [_line(str(each.message)) for each in told if _FATAL.search(str(each.message))]
    if _type_of(block) not in ("NMRFID", "") and block:
        message = f"File `{path}` is a spectrum or something else ({_type_of(block)}), but an echo in time is needed."
        raise DataError(message, path=path)
    if trouble or data is None:
        what = trouble[0] if trouble else "it has no table of one-dimensional data"
        message = f"File `{path}` cannot be read as JCAMP-DX: {what}."
        raise DataError(message, path=path)
    if not isinstance(data, list) or any(part is None for part in data) or len({len(part) for part in data}) != 1:
        message = f"File `{path}` must have a real and an imaginary part of equal length (NTUPLES), but has not."
        raise DataError(message, path=path)
    return block, (data[0], data[1])


def _check_size(text: str, path: Path) -> None:
    data = "".join(line for line in text.splitlines() if not line.lstrip().startswith(("##", "$$")))
    if sum(int(digits[:9] or 1) for digits in _REPEATED.findall(data)) > _MOST_POINTS:
        message = f"File `{path}` repeats numbers more than {_MOST_POINTS} times."
        raise DataError(message, path=path)


def _dwell(block: Block, length: int, path: Path) -> float:
    """Time between points, us, from DELTAX, or from the first and the last time."""
    columns = {name: [cell.strip() for cell in _first(block, name).split(",")] for name in _TUPLES}
    at = columns["SYMBOL"].index("X") if "X" in columns["SYMBOL"] else 0
    unit = columns["UNITS"][at].upper() if at < len(columns["UNITS"]) else ""
    if unit not in _SECONDS:
        message = f"File `{path}` must have times in SECONDS, but has `{unit[:20]}`."
        raise DataError(message, path=path)
    promised = _number(columns["VARDIM"][at : at + 1])
    if promised != length:
        message = f"File `{path}` is damaged: it holds {length} points, but promises {promised:g}."
        raise DataError(message, path=path)
    spacing = _number([_first(block, "DELTAX")])
    if not spacing > 0:
        first, last = (_number(columns[name][at : at + 1]) for name in ("FIRST", "LAST"))
        spacing = (last - first) / (length - 1) if length > 1 else np.nan
    return 1e6 * spacing


def _told(block: Block, parameters: Parameters, dwell: float) -> Told:
    pulse, scans = _number([_first(block, ".OBSERVE90")]), _number([_first(block, ".AVERAGES")])
    frequency, field = _number([_first(block, ".OBSERVEFREQUENCY")]), _number([_first(block, ".FIELD")])
    return Told(
        nucleus=_first(block, ".OBSERVENUCLEUS").replace("^", "") or parameters.text("NUC1"),
        frequency=frequency if frequency > 0 else None,
        field=field if field > 0 else None,
        dwell=dwell,
        scans=int(scans) if scans > 0 else None,
        sequence=_first(block, ".PULSESEQUENCE") or parameters.text("PULPROG"),
        times={"pulse of 90 degrees": pulse} if pulse > 0 else {},
    )


def _first(block: Block, name: str) -> str:
    """The first line of what stands behind a label."""
    values = block.get(name, [""])
    return _line(values[0] if values else "")


def _type_of(block: Mapping[str, Any]) -> str:
    return _first(block, "DATATYPE").upper().replace(" ", "")


def _number(cells: list[str]) -> float:
    try:
        number = float(cells[0]) if cells else np.nan
    except ValueError:
        return np.nan
    return number if np.isfinite(number) else np.nan


def _line(text: str) -> str:
    return text.strip().splitlines()[0][:80] if text.strip() else ""


FORMAT = Format(
    "jcampdx", "a measured echo in JCAMP-DX", read_jcampdx, measured=True, suffixes=(".dx", ".jdx", ".jcamp")
)
