"""The shape of the records that the tests extract features from: that of the reference's."""

import numpy as np

from nmr_platform.features import Acquisition

__all__ = ["ECHO_INDEX", "N_SAMPLES", "STEP", "TAKEN"]

N_SAMPLES = 1884
ECHO_INDEX = 1256
STEP = 1 / (2 * np.pi)
TAKEN = Acquisition(echo_index=ECHO_INDEX, step=STEP, n_samples=N_SAMPLES, n_sites=10_000)
