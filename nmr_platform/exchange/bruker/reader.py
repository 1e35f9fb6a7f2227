"""Read ``fid`` and ``ser``: a record is chosen, and the delay of the digital filter taken out of it."""

from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from nmr_platform.errors import ConfigurationError, DataError
from nmr_platform.exchange.bruker.lists import sweep_in
from nmr_platform.exchange.bruker.parameters import Parameters
from nmr_platform.exchange.bruker.program import program_of, told_by
from nmr_platform.exchange.bruker.rows import Rows, acqus_in
from nmr_platform.exchange.format import Format, Option
from nmr_platform.exchange.record import FEWEST_POINTS, INDEX, START, Record, choose
from nmr_platform.exchange.sweep import Sweep

__all__ = ["FORMAT", "read_bruker"]

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
    acquired = Parameters.read(acqus_in(folder))
    rows = Rows.of(acquired)
    row = choose(rows.count, index, folder)
    points = rows.points(row)
    delay = _group_delay(acquired) if group_delay is None else _checked(group_delay)
    if delay:
        points = _without_delay(points, delay, folder)
    program = program_of(folder)
    told = replace(told_by(acquired, program), swept=sweep_in(folder, rows.measured, program).of(row))
    dwell = 1e6 / acquired.positive("SW_h")
    return Record(points, start - delay % 1 * dwell, dwell, folder, "bruker", {"group_delay_points": delay}, told)


def _sweep(folder: Path) -> Sweep:
    rows = Rows.of(Parameters.read(acqus_in(folder)))
    return sweep_in(folder, rows.measured, program_of(folder))


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
    sweep=_sweep,
    measured=True,
    sniff=lambda folder: (folder / "acqus").exists(),
)
