"""The shape of the records that the tests extract features from: that of the reference's."""

from functools import cache
from pathlib import Path

import numpy as np

from nmr_platform.exchange import Record, resample
from nmr_platform.features import Acquisition

__all__ = ["ECHO_INDEX", "N_SAMPLES", "STEP", "TAKEN", "banded_records"]

N_SAMPLES = 1884
ECHO_INDEX = 1256
STEP = 1 / (2 * np.pi)
TAKEN = Acquisition(echo_index=ECHO_INDEX, step=STEP, n_samples=N_SAMPLES, n_sites=10_000)


@cache
def banded_records(every):
    """Four free decays and echoes of a line of 1 MHz, of which every so many samples were recorded; the rest resampled.

    Shape (4, 1884), complex64.
    """
    rng = np.random.default_rng(21)
    time = STEP * np.arange(N_SAMPLES)
    dephased = np.where(time <= STEP * ECHO_INDEX / 2, time, time - STEP * ECHO_INDEX)
    offsets = np.clip(0.02 * rng.standard_cauchy((4, 300)), -0.45, 0.45)
    m = 0.5 * np.exp(-2j * np.pi * offsets[..., np.newaxis] * dephased).mean(axis=1) * np.exp(0.4j)
    if every == 1:
        return m.astype(np.complex64)
    kept = [Record(curve[::every], 0.0, every * STEP, Path("echo.csv"), "csv") for curve in m]
    return np.array([resample(record, time, "bandlimited") for record in kept], dtype=np.complex64)
