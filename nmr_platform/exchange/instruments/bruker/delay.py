"""The delay of a digital filter: read from Bruker's parameters, wherever they stand, and taken out of a record."""

from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmr_platform.errors import ConfigurationError, DataError
from nmr_platform.exchange.format import Option
from nmr_platform.exchange.instruments.bruker.parameters import Parameters
from nmr_platform.exchange.records.record import FEWEST_POINTS

__all__ = ["GROUP_DELAY", "checked_delay", "delay_of", "without_delay"]

GROUP_DELAY = Option("delay of the digital filter in points, 0 if it was taken out; by default the file says it", 0)

# nmrglue takes so many points more than the delay from the end of a record.
_SKIPPED = 2


def delay_of(acquired: Parameters, given: float | None) -> float:
    """Points by which the digital filter delays the signal.

    Args:
        acquired: GRPDLY, or DECIM and DSPFVS; nothing of them if there was no filter.
        given: The delay, where the parameters do not tell it.

    Raises:
        ConfigurationError: The one that is given is negative.
        DataError: The parameters make no sense, or there is a filter that is not known.
    """
    if given is not None:
        return checked_delay(given)
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
            f"`{acquired.path}`: no group delay is known for DSPFVS = {version:g} and DECIM = "
            f"{decimation:g}; give it by `--group-delay` in points, 0 if it was taken out."
        )
        raise DataError(message, path=acquired.path)
    return table[int(decimation)]


def checked_delay(group_delay: float) -> float:
    """A delay that was given, points.

    Raises:
        ConfigurationError: It is negative.
    """
    if not (isfinite(group_delay) and group_delay >= 0):
        message = f"Argument `group_delay` must be 0 or more points, but is {group_delay}."
        raise ConfigurationError(message, key="group_delay", value=group_delay)
    return float(group_delay)


def without_delay(points: NDArray[np.complex128], delay: float, source: Path) -> NDArray[np.complex128]:
    """Take the whole points of a delay out, and about as many from the end; the fraction is left to the times.

    Args:
        points: A record, complex, shape (T,).
        delay: The delay, points.
        source: Where it comes from, for the sentence.

    Raises:
        DataError: Too little is left.
    """
    if not delay:
        return points
    if delay + _SKIPPED + FEWEST_POINTS > len(points):
        message = f"`{source}`: the group delay of {delay:g} points leaves too few of {len(points)}."
        raise DataError(message, path=source)
    from nmrglue.fileio.bruker import rm_dig_filter  # noqa: PLC0415

    remaining: Any = rm_dig_filter(points, 0, 0, delay)
    return np.asarray(remaining, np.complex128)
