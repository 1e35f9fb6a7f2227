"""Settings and helpers that several tests of the engine share."""

import numpy as np

from tests.builders import delay, pulse

__all__ = ["CLOSED", "RELAXING", "UNCOUPLED", "comb", "draw_offsets", "free_decay", "phase_time", "record"]

UNCOUPLED = {"alpha_x": 0.0, "alpha_y": 0.0, "alpha_z": 0.0}
CLOSED = {}
RELAXING = {"gamma_plus": 0.02, "gamma_minus": 0.005, "gamma_z": 0.01}


def record(echo):
    """Columns <Ix>, <Iy>, <Iz>."""
    return np.column_stack([echo.m.real, echo.m.imag, echo.m_z])


def phase_time(echo):
    """Dimensionless time s = 2 pi t."""
    return 2 * np.pi * echo.time


def draw_offsets(shape, largest=0.25):
    return np.random.default_rng(5).uniform(-largest, largest, shape)


def free_decay(steps, theta=90.0):
    return {"kind": "custom", "elements": [pulse(theta), delay(steps)]}


def comb(shape, period=16):
    """Offsets with which uncoupled spins dephase completely at s = period, 2 period, ... until they come back.

    The mean of exp(-i nu s) over nu_j = 2 pi j / (N period) is a geometric sum that vanishes where s / period is
    a whole number other than 0, N, 2 N...; so whatever is not refocused is absent then, to rounding.
    """
    size = int(np.prod(shape))
    offsets = 2 * np.pi * (np.arange(size) - size // 2) / (size * period)
    return np.random.default_rng(4).permutation(offsets).reshape(shape)
