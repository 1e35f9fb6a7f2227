"""Bring evenly spaced complex samples onto other times."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.signal import firwin, resample_poly

from nmr_platform.exchange.record import Record

__all__ = ["Method", "resample"]

Method = Literal["cubic", "bandlimited"]

# With it, the cubic spline between the finer points is exact to 1e-4 of any signal below the cut-off.
_FINER = 8
# Zero crossings of the interpolating function on either side, and the Kaiser window that ends it.
_CROSSINGS = 16
_KAISER_BETA = 8.0


def resample(record: Record, time: NDArray[np.float64], method: Method) -> NDArray[np.complex128]:
    """Signal of a record at other times within it.

    Args:
        record: The record.
        time: Evenly spaced times, us, shape (n,).
        method: ``cubic``: a cubic spline, local, for records sampled well above their bandwidth.
            ``bandlimited``: interpolation by a windowed sinc whose cut-off is half the lower of the two sampling
            rates, so that it is right up to nearly that frequency and noise above it does not fold back. Ringing of a
            few points surrounds jumps, such as a pulse or the ends of the record.

    Returns:
        The signal, complex, shape (n,).
    """
    if method == "cubic":
        return CubicSpline(record.time, record.signal)(time)
    step = float(time[1] - time[0])
    cutoff = min(1.0, record.dwell / step)
    half_length = round(_CROSSINGS * _FINER / cutoff)
    window = firwin(2 * half_length + 1, cutoff / _FINER, window=("kaiser", _KAISER_BETA))
    # The point reflection at the ends keeps value and slope there.
    finer = resample_poly(record.signal, _FINER, 1, window=window, padtype="antireflect")
    finer_time = record.start + record.dwell / _FINER * np.arange(len(finer))
    return CubicSpline(finer_time, finer)(time)
