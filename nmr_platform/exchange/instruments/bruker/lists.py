"""Lists beside ``acqus`` (``vdlist``, ``vplist``, ``vclist``): what tells the records of a ``ser`` file apart."""

import re
from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import NamedTuple

from nmr_platform.errors import DataError
from nmr_platform.exchange.records.sweep import Sweep
from nmr_platform.exchange.tables import decoded, read_content

__all__ = ["sweep_in"]

_MOST_BYTES = 2**20
_ENTRY = re.compile(r"(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)([num]?)s?")
_MICROSECONDS = {"n": 1e-3, "u": 1.0, "m": 1e3, "": 1e6}


class _List(NamedTuple):
    key: str
    # Of an entry without one: delays are in seconds there and pulses in us, as D and P of `acqus` are.
    units: Mapping[str, float]


_LISTS = {
    "vdlist": _List("tau", _MICROSECONDS),
    "vplist": _List("pulse", _MICROSECONDS | {"": 1.0}),
    "vclist": _List("loop", {"": 1.0}),
}


def sweep_in(folder: Path, count: int, program: str) -> Sweep:
    """What the lists in a folder say of its records.

    TopSpin leaves a list in the folder for each kind that the parameters name. Of several, the one counts whose
    command (``vd``, ``vp``, ``vc``) stands in the pulse program; if that leaves not just one, nothing is said.

    Args:
        folder: The experiment's folder.
        count: Number of its records; a list may go on for those that were not measured.
        program: The pulse program's text.

    Raises:
        DataError: An entry is not a number with a unit, or the list is shorter than the records are many.
    """
    found = [name for name in _LISTS if (folder / name).is_file()]
    if len(found) > 1:
        found = [name for name in found if re.search(rf"\b{name[:2]}\b", program)]
    if count < 2 or len(found) != 1:
        return Sweep(count)
    values = _values(folder / found[0], _LISTS[found[0]])
    if len(values) < count:
        message = f"File `{folder / found[0]}` has {len(values)} entries, but there are {count} records."
        raise DataError(message, path=folder / found[0])
    return Sweep(count, _LISTS[found[0]].key, values[:count])


def _values(path: Path, kind: _List) -> tuple[float, ...]:
    """The entries of a list: delays and pulses in us, and numbers of loops."""
    values: list[float] = []
    for text in decoded(read_content(path, most=_MOST_BYTES), path).split():
        entry = _ENTRY.fullmatch(text)
        if entry is None or entry[2] not in kind.units or not isfinite(float(entry[1])):
            message = f"File `{path}` must have numbers with or without a unit, such as 20u, but has `{text[:20]}`."
            raise DataError(message, path=path)
        values.append(float(f"{float(entry[1]) * kind.units[entry[2]]:.12g}"))
    return tuple(values)
