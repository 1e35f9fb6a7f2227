"""Synthetic echoes in the shape of the reference's records."""

import numpy as np
import pytest

from tests.features.records import ECHO_INDEX, N_SAMPLES


@pytest.fixture(scope="session")
def records():
    """Twelve noisy complex free decays and echoes, shape (12, 1884), complex64, with phases that drift."""
    rng = np.random.default_rng(20)
    samples = np.arange(N_SAMPLES) - ECHO_INDEX
    width = rng.uniform(15, 40, (12, 1))
    drift = rng.uniform(-0.02, 0.02, (12, 1))
    noise = rng.normal(scale=1e-3, size=(2, 12, N_SAMPLES))
    echo = 0.4 * np.exp(-np.abs(samples - 5) / width) * np.exp(1j * (0.3 + drift * samples))
    decay = 0.5 * np.exp(-np.arange(N_SAMPLES) / width)
    return (echo + decay + noise[0] + 1j * noise[1]).astype(np.complex64)
