"""A pulse search that takes milliseconds."""

from typing import Any

from nmr_platform.physics import Hahn
from nmr_platform.pulse_design import PulseSearchSettings, SequenceSet
from nmr_platform.schema import validate
from tests.datasets.recipes import small_recipe

__all__ = [
    "CLASSES",
    "FISHER",
    "FLIPS",
    "FREE",
    "POWER",
    "RIDGE",
    "SCORE",
    "SEPARATION",
    "VERDICT",
    "hahn",
    "search_recipe",
    "search_settings",
]

FLIPS = {
    "theta1": {"kind": "uniform", "low": 60.0, "high": 120.0},
    "theta2": {"kind": "uniform", "low": 120.0, "high": 240.0},
}
FREE = {"pulses": [1, 2, 3, 4], "theta": {"low": 10.0, "high": 180.0}, "delay": {"low": 1.0, "high": 3.0}}
SCORE = {"kind": "score", "targets": ["W"], "cv_folds": 2, "n_estimators": 8}
RIDGE = {"kind": "score", "targets": ["W", "X"], "cv_folds": 2, "estimator": "ridge"}
CLASSES = {
    "kind": "score",
    "classes": {"kernels": ["gaussian", "power"]},
    "classes_by": "f1",
    "cv_folds": 2,
    "n_estimators": 8,
}
FISHER = {
    "kind": "fisher",
    "targets": ["W", "Z"],
    "parameters": ["X", "Z", "xi", "gamma_z"],
    "points": 3,
    "draws": 3,
    "reach": 0.005,
    "noise": 0.01,
    "bin": 4,
}
SEPARATION = {"kind": "separation", "kernels": ["gaussian", "power"], "draws": 2, "noise": 0.01, "bin": 4}
VERDICT = {
    "seed": 6,
    "n_curves": 24,
    "best": 1,
    "targets": ["W", "Z"],
    "families": ["extra_trees"],
    "n_trials": 1,
    "n_estimators": 5,
    "test_fraction": 0.4,
    "cv_folds": 2,
    "scenarios": {
        "weak pulses": {"changes": {"drive.calibration": 0.5}, "known": False},
        "noisy": {"changes": {"receiver.noise": 0.05}},
        "doubled": {"double": True},
    },
}


def search_settings(**changes: Any) -> PulseSearchSettings:
    """Settings of a search for W on 20 curves."""
    values: dict[str, Any] = {
        "kernel": "gaussian",
        "shape": [6, 6],
        "n_curves": 20,
        "seed": 5,
        "space": {"sequences": [{"vary": FLIPS}]},
        "objective": SCORE,
        "features": {"kind": "pointwise", "signal": "complex", "half_width": 10},
        "startup_trials": 2,
        "n_trials": 4,
        "verdict": VERDICT,
    }
    return validate(PulseSearchSettings, values | changes, where="pulse_search")


def search_recipe(**changes: Any):
    """Twenty curves of a 6x6 lattice, about 40 samples each."""
    return small_recipe(**{"name": "gaussian", "n_curves": 20, "seed": 5} | changes)


def hahn(theta1: float = 90.0, theta2: float = 180.0, tau: float = 2.0) -> SequenceSet:
    """One Hahn echo."""
    return SequenceSet.of(Hahn(tau=tau, theta1=theta1, theta2=theta2))


POWER = {
    "name": "power",
    "experiment": search_recipe().experiment | {"kernel": {"kind": "power", "exponent": 3.0}},
    "prior": {key: each for key, each in search_recipe().prior.items() if key != "kernel.xi"},
}
