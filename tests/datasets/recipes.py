"""A small data set recipe for tests."""

from typing import Any

from nmr_platform.datasets import Recipe
from nmr_platform.schema import validate


def small_values(**changes: Any) -> dict[str, Any]:
    """Six curves of a 6x6 Gaussian lattice, about 40 samples each, as YAML would give them."""
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
            "coupling.alpha_y": {"kind": "expression", "value": "coupling.alpha_x"},
            "coupling.alpha_z": {"kind": "choice", "values": [0.001, 0.002]},
        },
        "constraints": {"W": {"low": 0.01, "high": 0.5}},
    }
    return values | changes


def small_recipe(**changes: Any) -> Recipe:
    """The recipe of `small_values`."""
    return validate(Recipe, small_values(**changes))


def small_prior(**changes: Any) -> dict[str, Any]:
    """The prior of `small_values` with some keys changed; dots are written as two underscores."""
    return small_values()["prior"] | {key.replace("__", "."): value for key, value in changes.items()}
