"""Measured echoes that are written down, whose truth is known."""

from pathlib import Path

import numpy as np

from nmr_platform.exchange import Record
from nmr_platform.physics import Experiment

__all__ = ["SEQUENCE", "TAU", "echo_record", "experiment"]

TAU = 30.0
SEQUENCE = {"kind": "hahn", "tau": TAU}


def experiment(**changes):
    """A Hahn echo of free spins."""
    values = {
        "lattice": {"shape": [4, 4]},
        "kernel": {"kind": "uniform"},
        "coupling": {"alpha_x": 0.0, "alpha_y": 0.0, "alpha_z": 0.0},
        "line": {"fwhm": 0.05, "bandwidth": 1.0},
        "sequence": SEQUENCE,
        "step": 0.5,
    }
    return Experiment.model_validate(values | changes)


def echo_record(*, fwhm=0.08, phase=35.0, offset=0.003, noise=0.002, height=2.0, start=34.0, kind="lorentzian", seed=0):
    """The second half of a Hahn echo of free spins, in volts, as a receiver with phase and offset records it."""
    time = start + 0.5 * np.arange(round((3 * TAU - start) / 0.5))
    away = np.abs(time - 2 * TAU)
    envelope = {
        "lorentzian": np.exp(-np.pi * fwhm * away),
        "gaussian": np.exp(-((np.pi * fwhm * away) ** 2) / (4 * np.log(2))),
    }[kind]
    # Of the ideal echo of 90x - 180y: M is -i/2 before the second pulse, and refocuses to it.
    ideal = -1j * np.exp(1j * (np.deg2rad(phase) + 2 * np.pi * offset * (time - 2 * TAU)))
    rng = np.random.default_rng(seed)
    receiver = noise * height * (rng.normal(size=time.size) + 1j * rng.normal(size=time.size))
    return Record(height * envelope * ideal + receiver, start, 0.5, Path("echo.csv"), "text")
