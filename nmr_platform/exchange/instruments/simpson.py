"""Echoes that SIMPSON simulated, as its command ``fsave`` writes them: text that begins with ``SIMP``."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import numpy as np

from nmr_platform.errors import DataError
from nmr_platform.exchange.format import Format
from nmr_platform.exchange.records.record import INDEX, START, Record, choose
from nmr_platform.exchange.records.sweep import Sweep
from nmr_platform.exchange.records.told import Told
from nmr_platform.exchange.tables import MOST_OF_A_RECORD, decoded, read_content

__all__ = ["FORMAT", "read_simpson"]

_WHOLE = re.compile(r"[1-9]\d{0,8}")


def read_simpson(
    path: str | Path, *, start: Annotated[float, START] = 0.0, index: Annotated[int | None, INDEX] = None
) -> Record:
    """Read an echo that SIMPSON simulated.

    Args:
        path: The file.
        start: Time of the first point after the first pulse, us; the file does not say.
        index: Which record of a file of several (NI or NELEM), from 0.

    Returns:
        The record.

    Raises:
        DataError: The file is damaged, binary, a spectrum or something else, or ``index`` does not fit it.
    """
    path = Path(path)
    keys, lines = _read(path)
    dwell = 1e6 / _number(keys, "SW", path)
    row, length = choose(_count(keys), index, path), len(lines) // _count(keys)
    try:
        parts = np.array([line.split() for line in lines[row * length : (row + 1) * length]], np.float64)
        signal = parts[:, 0] + 1j * parts[:, 1]
    except (ValueError, IndexError) as error:
        message = f"File `{path}` is damaged: a point must be two numbers."
        raise DataError(message, path=path) from error
    return Record(signal, start, dwell, path, "simpson", told=Told(dwell=dwell))


def _read(path: Path) -> tuple[Mapping[str, str], list[str]]:
    """The keys of a file, and a line for each point, as many as they promise."""
    lines = [line.strip() for line in decoded(read_content(path, most=MOST_OF_A_RECORD), path).splitlines()]
    if lines[:1] != ["SIMP"] or not {"DATA", "END"} <= set(lines):
        message = f"File `{path}` is damaged or not of SIMPSON: it must have lines SIMP, DATA and END."
        raise DataError(message, path=path)
    data = lines.index("DATA")
    keys = {name: value for name, _, value in (line.partition("=") for line in lines[1:data])}
    if "FORMAT" in keys:
        message = f"File `{path}` is binary, but must be text: save it without `-binary`."
        raise DataError(message, path=path)
    if keys.get("TYPE") != "FID":
        message = f"File `{path}` is a spectrum (its TYPE is not FID), but an echo in time is needed."
        raise DataError(message, path=path)
    end = lines.index("END")
    held, promised = end - data - 1, _number(keys, "NP", path) * _count(keys)
    if held != promised:
        message = f"File `{path}` is damaged: it holds {held} points, but promises {promised:g}."
        raise DataError(message, path=path)
    return keys, lines[data + 1 : end]


def _count(keys: Mapping[str, str]) -> int:
    """Number of records: points of the second dimension, and elements."""
    sizes = [keys.get(name, "1") for name in ("NI", "NELEM")]
    return int(sizes[0]) * int(sizes[1]) if all(_WHOLE.fullmatch(size) for size in sizes) else 0


def _number(keys: Mapping[str, str], name: str, path: Path) -> float:
    try:
        number = float(keys.get(name, ""))
    except ValueError:
        number = 0.0
    if not 0 < number < np.inf:
        message = f"File `{path}` must have a number above zero for {name}, but has `{keys.get(name, '')[:20]}`."
        raise DataError(message, path=path)
    return number


FORMAT = Format(
    "simpson",
    "an echo that SIMPSON simulated, as text",
    read_simpson,
    sweep=lambda path: Sweep(_count(_read(path)[0])),
    measured=True,
    suffixes=(".fid", ".spe"),
    begins=b"SIMP",
)
