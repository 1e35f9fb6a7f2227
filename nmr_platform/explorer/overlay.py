"""A measured record laid over a simulated one."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from nmr_platform.datasets import Recorded
from nmr_platform.exchange import (
    CORRECTIONS,
    FORMATS,
    guess_format,
    measured_curve,
    options_for_reading,
    read_records,
    refuse_ignored,
)
from nmr_platform.physics import Measurement
from nmr_platform.simulation import Echo

__all__ = ["Overlay", "lay_over", "read_overlay"]


@dataclass(frozen=True)
class Overlay:
    """A measured record on the time axis of a simulated one.

    Attributes:
        time: us after the end of the first pulse, shape (n_samples,).
        m: M, complex, scaled onto the simulated one, shape (n_samples,); NaN where nothing was recorded.
        rms: Root mean square of what is left between the magnitudes of both, in units of M.
    """

    time: NDArray[np.float64]
    m: NDArray[np.complex128]
    rms: float


def read_overlay(
    path: Path, measurement: Measurement, options: Mapping[str, Any] | None = None
) -> dict[str, xr.Dataset]:
    """The records of a file on the time axes of the records that they may be laid over.

    Args:
        path: Of any format that can be imported.
        measurement: Whose sequences say where pulses and echoes are.
        options: What the format's reader and the corrections take.

    Returns:
        By the name of the record; only those that both have. A file's only record is laid over the first one.

    Raises:
        DataError: The file cannot be read, or does not reach over the time axis.
        ConfigurationError: An option has no meaning.
    """
    given = dict(options or {})
    chosen = given.pop("format", None) or guess_format(path)
    known = options_for_reading(FORMATS[chosen])
    refuse_ignored(given, {*known, *(CORRECTIONS if FORMATS[chosen].measured else ())}, [chosen])
    reading = {key: value for key, value in given.items() if key in known}
    # The scale is found against the simulated echo.
    corrections = {key: value for key, value in given.items() if key in CORRECTIONS}
    held = read_records(path, format=chosen, **reading)
    experiments = measurement.experiments
    if "" in held:
        held = {next(iter(experiments)): held[""]}
    out = {}
    for name in held.keys() & experiments.keys():
        content = held[name]
        if isinstance(content, xr.Dataset):
            out[name] = content.isel(curve=slice(0, 1))
        else:
            out[name] = measured_curve(content, experiments[name], **{"outside": "zero", **corrections})
    return out


def lay_over(measured: xr.Dataset, echo: Echo) -> Overlay:
    """Scale a measured record onto a simulated one by least squares of the magnitudes.

    Args:
        measured: One curve of `read_overlay`.
        echo: The simulated record.
    """
    time, m = measured["time"].to_numpy(), measured["m"].to_numpy()[0].astype(np.complex128)
    covered = (m != 0) & Recorded.of_attributes(measured.attrs).covers(time)
    ours = np.interp(time, echo.time, np.abs(echo.m))
    theirs = np.abs(m)
    power = float((theirs[covered] ** 2).sum())
    factor = float((theirs * ours)[covered].sum()) / power if power > 0.0 else 1.0
    left = factor * theirs[covered] - ours[covered]
    rms = float(np.sqrt(np.mean(left**2))) if left.size else float("nan")
    return Overlay(time, np.where(covered, factor * m, np.nan), rms)
