"""The experiments that are timed: Hahn echoes like those of the 2021 data sets."""

from typing import Any

import numpy as np

from nmr_platform.physics import Experiment

__all__ = ["KERNELS", "STEP", "hahn_echo"]

STEP = 1 / (2 * np.pi)
"""The literature's "dt = 1", us."""

KERNELS: dict[str, dict[str, Any]] = {
    "gaussian": {"kind": "gaussian", "xi": 13.4},
    "power": {"kind": "power", "exponent": 3.0},
    "rkky": {"kind": "rkky", "xi": 12.0},
    "uniform": {"kind": "uniform"},
}


def hahn_echo(
    kernel: dict[str, Any], side: int, *, kernel_integral: float = 0.1, n_tau: int = 628, step: float = STEP
) -> Experiment:
    """A 90-180 echo on a square lattice.

    Args:
        kernel: Section ``kernel``.
        side: Number of spins along each axis.
        kernel_integral: |W|, MHz, split evenly between the three components.
        n_tau: Steps between the pulses; the record has three times as many.
        step: us.
    """
    values: dict[str, Any] = {
        "lattice": {"shape": [side, side]},
        "kernel": kernel,
        "coupling": {"alpha_x": 0.0, "alpha_y": 0.0, "alpha_z": 0.0},
        "line": {"fwhm": 0.05, "bandwidth": 1.0},
        "sequence": {"kind": "hahn", "tau": n_tau * step},
        "step": step,
    }
    alpha = kernel_integral / 3 / abs(Experiment.model_validate(values).kernel_sum)
    return Experiment.model_validate({**values, "coupling": {f"alpha_{d}": alpha for d in "xyz"}})
