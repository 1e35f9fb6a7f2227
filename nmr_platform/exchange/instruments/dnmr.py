"""Measured echoes that NICOS keeps of a Tecmag spectrometer behind frappy, in HDF5: the layout that DNMR reads.

Names are those that DNMR 1.6.4 reads (https://github.com/Davis-Garrad/DNMR), units those of scripts for NICOS.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, NamedTuple, TypeAlias

import h5py
import numpy as np
from numpy.typing import NDArray

from nmr_platform.errors import DataError
from nmr_platform.exchange.format import Format
from nmr_platform.exchange.hdf5_file import opened_hdf5, own_item
from nmr_platform.exchange.records.record import INDEX, START, Record, choose
from nmr_platform.exchange.records.sweep import Sweep
from nmr_platform.exchange.records.told import Told
from nmr_platform.exchange.tables import MOST_OF_A_RECORD

__all__ = ["FORMAT", "read_dnmr"]

_Item: TypeAlias = h5py.Group | h5py.Dataset
_POINT = re.compile(r"(?:point|entry)(\d{1,9})")
_QUARTER_TURN = 90.0
# The last two pulses make a Hahn echo if the second turns twice as far as the first, about.
_TWICE = (1.6, 2.4)
# Times of the receiver by their names, and what their unit is in us.
_WAITS = {"pre_acquisition": 1.0, "ringdown": 1.0, "post_acquisition": 1e3}
# Groups of a point whose members are not its own.
_GROUPS = ("params", "sequence")
_LONGEST_TEXT = 2**16


class _Pulse(NamedTuple):
    """A pulse and the delay after it: times in us, height in the spectrometer's unit, phases in degrees."""

    width: float
    height: float
    delay: float
    phases: tuple[float, ...]


def read_dnmr(
    path: str | Path, *, start: Annotated[float | None, START] = None, index: Annotated[int | None, INDEX] = None
) -> Record:
    """Read a measured echo of a scan.

    Times count from the pulse that the echo starts with: the first of one or two, and of more the last but one where
    the last turns twice as far. From its end to the first point are its delay, the last pulse with its own delay, and
    the ringdown time; the file does not say where its ``pre_acquisition_time`` lies. The dwell is ``acquisition_time``
    over the number of points: ``times`` may have a point more than there are, and other steps.

    Args:
        path: The file.
        start: Time of the first point after that pulse, us; by default as the sequence tells it.
        index: Which point of the scan, from 0.

    Returns:
        The record.

    Raises:
        DataError: The file is missing, damaged or something else, ``index`` does not fit it, or its sequence does not
            tell the start.
    """
    path = Path(path)
    with opened_hdf5(path) as file:
        points = _points(file, path)
        point = _members(points[choose(len(points), index, path)], path)
        real, imaginary = (_array(point, name, path) for name in ("reals", "imags"))
        params, pulses = _members(_group(point, "params", path), path), _pulses(point, path)
        if len(real) != len(imaginary) or not len(real):
            message = f"File `{path}` has {len(real)} real and {len(imaginary)} imaginary parts, but must have as many."
            raise DataError(message, path=path)
        dwell = _number(params, "acquisition_time", path) / len(real)
        if start is None:
            start = _between(pulses, path) + _number(params, "ringdown_time", path)
        told = _told(point, params, pulses, dwell, path)
    # What was added up is divided where the file counts it.
    sums = told.scans if told.scans and "actual_num_acqs" in params else 1
    signal = (real + 1j * imaginary).astype(np.complex128) / sums
    return Record(signal, start, dwell, path, "dnmr", told=told)


def _told(
    point: Mapping[str, _Item], params: Mapping[str, _Item], pulses: list[_Pulse], dwell: float, path: Path
) -> Told:
    lengths = {"p": [each.width for each in pulses], "d": [each.delay for each in pulses]}
    times = {f"{name}{place}": time for name, listed in lengths.items() for place, time in enumerate(listed)}
    times |= {
        name: unit * _number(params, f"{name}_time", path) for name, unit in _WAITS.items() if f"{name}_time" in params
    }
    cycles = {f"ph{place}": each.phases for place, each in enumerate(pulses)} | {
        "receiver": _phases(params, "acq_phase_cycle")
    }
    scans = next((_number(params, name, path) for name in ("actual_num_acqs", "num_scans") if name in params), 0)
    return Told(
        nucleus=_text(point, "nucleus") or None,
        frequency=_number(params, "obs_freq", path) if "obs_freq" in params else None,
        dwell=dwell,
        scans=round(scans) or None,
        times=times,
        phases={name: cycle for name, cycle in cycles.items() if cycle},
    )


def _points(file: h5py.File, path: Path) -> list[h5py.Group]:
    """The points of a scan, in their order."""
    numbered = sorted((int(found[1]), name) for name in file if (found := _POINT.fullmatch(name)))
    points = [own_item(file, name, path) for _, name in numbered]
    if not points or not all(isinstance(point, h5py.Group) for point in points):
        message = f"File `{path}` has no groups `point0` or `entry0`, which the points of a scan are."
        raise DataError(message, path=path)
    return points


def _members(group: h5py.Group, path: Path) -> dict[str, _Item]:
    """What is in a group, without the device's name; in groups of another version, what these hold."""
    members: dict[str, _Item] = {}
    for name in group:
        item, plain = own_item(group, name, path), name.removeprefix("tnmr_")
        if isinstance(item, h5py.Group) and plain not in _GROUPS and not plain.isdecimal():
            members |= {inner.removeprefix("tnmr_"): own_item(item, inner, path) for inner in item}
        else:
            members[plain] = item
    return members


def _pulses(point: Mapping[str, _Item], path: Path) -> list[_Pulse]:
    sequence = _group(point, "sequence", path)
    pulses = []
    for name in sorted((name for name in sequence if name.isdecimal()), key=int):
        held = _members(_group({name: own_item(sequence, name, path)}, name, path), path)
        # Older files have another name for it.
        delay = "delay_time" if "delay_time" in held else "relaxation_time"
        width, height, after = (_number(held, key, path) for key in ("pulse_width", "pulse_height", delay))
        pulses.append(_Pulse(width, height, after, _phases(held, "phase_cycle")))
    return pulses


def _between(pulses: list[_Pulse], path: Path) -> float:
    """Time from the end of the pulse that the echo starts with to the end of the last delay, us."""
    angles = [each.width * each.height for each in pulses]
    if not pulses or (len(pulses) > 2 and not _TWICE[0] * angles[-2] <= angles[-1] <= _TWICE[1] * angles[-2]):
        message = (
            f"File `{path}` has {len(pulses)} pulses and does not say which of them the echo starts with: say by "
            "`--start` when the first point is, in us after that pulse."
        )
        raise DataError(message, path=path)
    first, *after = pulses[-2:]
    return first.delay + sum(each.width + each.delay for each in after)


def _sweep(path: Path) -> Sweep:
    """What the points of a scan differ in: tau, or alone the recovery before the echo's pulses, or the first pulse."""
    with opened_hdf5(path) as file:
        sequences = [_pulses(_members(point, path), path) for point in _points(file, path)]
    count, n_pulses = len(sequences), min(map(len, sequences))
    listed = {"pulse": [each[0].width for each in sequences]} if n_pulses else {}
    for name, place in (("tau", 2), ("recovery", 3)):
        if n_pulses >= place:
            listed[name] = [each[-place].delay for each in sequences]
    different = {name: tuple(values) for name, values in listed.items() if len(set(values)) == count}
    name = "tau" if "tau" in different else next(iter(different), "")
    return Sweep(count, name, different[name]) if name == "tau" or len(different) == 1 else Sweep(count)


def _group(held: Mapping[str, _Item], name: str, path: Path) -> h5py.Group:
    item = held.get(name)
    if not isinstance(item, h5py.Group):
        message = f"File `{path}` has no group `{name}` in a point of its scan."
        raise DataError(message, path=path)
    return item


def _array(held: Mapping[str, _Item], name: str, path: Path) -> NDArray[np.float64]:
    item = held.get(name)
    if not isinstance(item, h5py.Dataset) or item.dtype.kind not in "iuf" or item.nbytes > MOST_OF_A_RECORD:
        message = f"File `{path}` has no numbers `{name}` in a point of its scan, or too many of them."
        raise DataError(message, path=path)
    return np.ravel(item[()]).astype(np.float64)


def _number(held: Mapping[str, _Item], name: str, path: Path) -> float:
    values = _array(held, name, path)
    if values.size != 1 or not np.isfinite(values[0]):
        message = f"File `{path}` has no single number `{name}` in a point of its scan."
        raise DataError(message, path=path)
    return float(values[0])


def _text(held: Mapping[str, _Item], name: str) -> str:
    """A text; empty if there is none."""
    item = held.get(name)
    if (
        not isinstance(item, h5py.Dataset)
        or item.dtype.kind not in "SO"
        or item.size != 1
        or item.nbytes > _LONGEST_TEXT
    ):
        return ""
    value = np.ravel(item[()])[0] if item.shape else item[()]
    return value.decode("utf-8", "replace").strip("\0 ") if isinstance(value, bytes) else ""


def _phases(held: Mapping[str, _Item], name: str) -> tuple[float, ...]:
    """A phase cycle, counted in quarter turns, in degrees."""
    steps = _text(held, name).split()
    return tuple(_QUARTER_TURN * int(step) for step in steps) if all(step.isdecimal() for step in steps) else ()


FORMAT = Format(
    "dnmr",
    "measured echoes of a Tecmag behind frappy and NICOS, one HDF5 file",
    read_dnmr,
    sweep=_sweep,
    measured=True,
    suffixes=(".hdf",),
)
