"""Small experiments with sensible defaults, for the tests of every layer."""

import numpy as np

from nmr_platform.physics import Experiment

__all__ = ["UNIT_STEP", "delay", "experiment", "experiment_values", "pulse", "shaped"]

# The literature's "dt = 1" in us: with it, couplings and offsets in MHz are radians per step.
UNIT_STEP = 1 / (2 * np.pi)


def experiment_values(**changes: object) -> dict[str, object]:
    """Plain data of a small experiment, as YAML would give it; ``changes`` replace whole sections."""
    values: dict[str, object] = {
        "lattice": {"shape": [4, 4]},
        "kernel": {"kind": "gaussian", "xi": 1.5},
        "coupling": {"alpha_x": 0.02, "alpha_y": 0.03, "alpha_z": -0.05},
        "line": {"fwhm": 0.05, "bandwidth": 0.5},
        "sequence": {"kind": "hahn", "tau": 20 * UNIT_STEP},
        "step": UNIT_STEP,
    }
    return values | changes


def experiment(**changes: object) -> Experiment:
    """A small experiment; ``changes`` replace whole sections, for instance ``kernel={"kind": "uniform"}``."""
    return Experiment.model_validate(experiment_values(**changes))


def pulse(theta: float, phi: float = 0.0, duration: float = 0.0) -> dict[str, object]:
    """A pulse of a custom sequence, degrees and us."""
    return {"kind": "pulse", "theta": theta, "phi": phi, "duration": duration}


def shaped(*segments: tuple[float, float, float]) -> dict[str, object]:
    """A shaped pulse of a custom sequence: (duration, amplitude, phase) in us, MHz and degrees."""
    names = ("duration", "amplitude", "phase")
    return {"kind": "shaped", "segments": [dict(zip(names, segment, strict=True)) for segment in segments]}


def delay(steps: float, step: float = UNIT_STEP) -> dict[str, object]:
    """A delay of a custom sequence that lasts ``steps`` steps of ``step`` us."""
    return {"kind": "delay", "duration": steps * step}
