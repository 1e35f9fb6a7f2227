"""Whether times in a table are evenly spaced, as well as their digits can tell."""

import numpy as np
from numpy.typing import NDArray

from nmr_platform.errors import DataError
from nmr_platform.exchange.tables.numbers import NumberTable

__all__ = ["spacing_of"]

# How far a time may lie from an even grid, in units of its spacing: instruments print few digits.
_JITTER = 0.2
# The grid is itself fitted to rounded times.
_SLACK = 1.05
# Above this, a time that is missing could hide among rounded ones.
_COARSEST_ROUNDING = 0.45


def spacing_of(time: NDArray[np.float64], table: NumberTable, column: int) -> float:
    """The spacing of times that are evenly spaced, by least squares.

    A time may be off by a fifth of the spacing, or by what rounding to the digits that are printed explains, as long as
    that is less than half of the spacing.

    Args:
        time: Times, shape (T,).
        table: Where they stand, for their digits and their lines.
        column: The column of the table that they are, from 0.

    Returns:
        The spacing, in the unit of the times.

    Raises:
        DataError: They are fewer than two, do not increase, or are not evenly spaced; the line is named.
    """
    if len(time) < 2:
        message = f"File `{table.path}` must have 2 rows of numbers or more, but has {len(time)}."
        raise DataError(message, path=table.path)
    place = np.arange(len(time)) - (len(time) - 1) / 2
    spacing = float(place @ (time - time[0]) / (place @ place))
    off = np.abs(time - time.mean() - spacing * place)
    steps = np.diff(time)
    allowed = np.full(len(time), _JITTER * spacing)
    if spacing > 0 and off.max() > allowed[0] and (steps >= 0).all():
        allowed = np.maximum(allowed, np.minimum(_rounding(time, table, column), _COARSEST_ROUNDING * spacing))
    if not (spacing > 0 and (off <= allowed).all()):
        usual = float(np.median(steps)) or spacing
        worst = int(np.argmax(np.abs(steps - usual)))
        # The median of rounded steps is rounded too.
        usual = float(steps[np.abs(steps - usual) <= abs(usual) / 2].mean()) if usual in steps else usual
        slack = float(allowed.max()) / spacing if spacing > 0 else _JITTER
        message = (
            f"File `{table.path}` must have increasing, evenly spaced times, but from line {table.lines[worst]} to "
            f"line {table.lines[worst + 1]} they step by {steps[worst]:.6g} instead of {usual:.6g}, and no time may be "
            f"off by more than {slack:.2g} of a step."
        )
        raise DataError(message, path=table.path)
    return spacing


def _rounding(time: NDArray[np.float64], table: NumberTable, column: int) -> NDArray[np.float64]:
    """Half of the last digit of each time, if all were printed with the most digits that one of them has."""
    cells = (table.dialect.cells(row)[column].lower().partition("e")[0] for row in table.rows)
    digits = max(len("".join(filter(str.isdecimal, cell)).lstrip("0")) for cell in cells)
    size = np.floor(np.log10(np.maximum(np.abs(time), np.finfo(float).tiny)))
    halves: NDArray[np.float64] = _SLACK * 0.5 * 10.0 ** (size - digits + 1)
    return halves
