"""Read ``fid`` and ``ser``: a record is chosen, and the delay of the digital filter taken out of it."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

from nmr_platform.exchange.format import Format
from nmr_platform.exchange.instruments.bruker.delay import GROUP_DELAY, delay_of, without_delay
from nmr_platform.exchange.instruments.bruker.lists import sweep_in
from nmr_platform.exchange.instruments.bruker.parameters import Parameters
from nmr_platform.exchange.instruments.bruker.program import program_of, told_by
from nmr_platform.exchange.instruments.bruker.rows import Rows, acqus_in
from nmr_platform.exchange.records.record import INDEX, START, Record, choose
from nmr_platform.exchange.records.sweep import Sweep

__all__ = ["FORMAT", "read_bruker"]


def read_bruker(
    folder: str | Path,
    *,
    start: Annotated[float, START] = 0.0,
    index: Annotated[int | None, INDEX] = None,
    group_delay: Annotated[float | None, GROUP_DELAY] = None,
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
    delay = delay_of(acquired, group_delay)
    points = without_delay(points, delay, folder)
    program = program_of(folder)
    told = replace(told_by(acquired, program), swept=sweep_in(folder, rows.measured, program).of(row))
    dwell = 1e6 / acquired.positive("SW_h")
    return Record(points, start - delay % 1 * dwell, dwell, folder, "bruker", {"group_delay_points": delay}, told)


def _sweep(folder: Path) -> Sweep:
    rows = Rows.of(Parameters.read(acqus_in(folder)))
    return sweep_in(folder, rows.measured, program_of(folder))


FORMAT = Format(
    "bruker",
    "a measured echo, a folder with `acqus`, and `fid` or `ser`",
    read_bruker,
    sweep=_sweep,
    measured=True,
    sniff=lambda folder: (folder / "acqus").exists(),
)
