"""The shape of the records that the tests extract features from: that of the reference's."""

import numpy as np

__all__ = ["ECHO_INDEX", "N_SAMPLES", "N_SITES", "STEP"]

N_SAMPLES = 1884
ECHO_INDEX = 1256
N_SITES = 10_000
STEP = 1 / (2 * np.pi)
