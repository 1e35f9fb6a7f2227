"""A pulse search that takes milliseconds."""

from nmr_platform.physics import Hahn
from nmr_platform.pulse_design import PulseSearchSettings
from nmr_platform.schema import validate
from tests.datasets.recipes import small_recipe

__all__ = ["SEQUENCE", "search_recipe", "search_settings"]

SEQUENCE = Hahn(tau=2.0)


def search_settings(**changes):
    """Settings of a search for W on 20 curves."""
    values = {
        "kernel": "gaussian",
        "target": "W",
        "n_trials": 4,
        "n_curves": 20,
        "seed": 5,
        "shape": [6, 6],
        "theta1": {"low": 60.0, "high": 120.0},
        "theta2": {"low": 120.0, "high": 240.0},
        "features": {"kind": "pointwise", "signal": "complex", "half_width": 10},
        "cv_folds": 2,
        "n_estimators": 8,
        "startup_trials": 2,
        "verdict_seed": 6,
        "verdict_curves": 20,
    }
    return validate(PulseSearchSettings, values | changes, where="pulse_search")


def search_recipe(**changes):
    """Twenty curves of a 6x6 lattice, about 40 samples each."""
    return small_recipe(**{"n_curves": 20, "seed": 5} | changes)
