"""A small data set recipe for tests."""

from typing import Any

from nmr_platform.datasets import Recipe
from nmr_platform.schema import validate


def small_recipe(**changes: Any) -> Recipe:
    """Six curves of a 6x6 Gaussian lattice, about 40 samples each."""
    values: dict[str, Any] = {
        "name": "small",
        "n_curves": 6,
        "seed": 7,
        "experiment": {
            "lattice": {"shape": [6, 6]},
            "kernel": {"kind": "gaussian"},
            "line": {"kind": "lorentzian", "fwhm": 0.05, "bandwidth": 1.0},
            "sequence": {"kind": "hahn", "tau": 2.0},
            "step": 0.15,
        },
        "prior": {
            "kernel.xi": {"kind": "uniform", "low": 1.0, "high": 3.0},
            "coupling.alpha_x": {"kind": "log_uniform", "low": 1e-4, "high": 2e-2},
            "coupling.alpha_y": {"kind": "same_as", "key": "coupling.alpha_x"},
            "coupling.alpha_z": {"kind": "choice", "values": [0.001, 0.002]},
        },
        "kernel_integral": {"low": 0.01, "high": 0.5},
    }
    return validate(Recipe, values | changes)
