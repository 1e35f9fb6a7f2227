"""The unknowns of an experiment, one by one: read them off, and change one while the others stay."""

import numpy as np
from numpy.typing import NDArray

from nmr_platform.datasets import QUANTITIES
from nmr_platform.errors import ConfigurationError
from nmr_platform.physics import Experiment
from nmr_platform.pulse_design.objectives.settings import Parameter

__all__ = ["changed", "precision", "read", "steps", "target_gradient"]

# How far unknowns that the prior does not draw might be off: so far that hardly anything follows from it.
_VAGUE: dict[str, float] = {"xi": 10.0, "exponent": 1.0, "gamma_plus": 0.01, "gamma_minus": 0.01, "gamma_z": 0.01}
# Steps of these.
_STEPS: dict[str, float] = {"xi": 0.02, "exponent": 0.005, "gamma_plus": 2e-5, "gamma_minus": 2e-5, "gamma_z": 2e-5}


def read(experiment: Experiment, name: Parameter) -> float:
    """The value of an unknown: X and Z in MHz, xi in lattice constants, rates in MHz.

    Raises:
        ConfigurationError: The kernel has no such number.
    """
    value = float(QUANTITIES[name].of(experiment))
    if np.isnan(value):
        message = f"Key `parameters` must fit the kernel, but {experiment.kernel.kind} has no {name}."
        raise ConfigurationError(message, key="parameters", value=name)
    return value


def changed(experiment: Experiment, name: Parameter, value: float) -> Experiment:
    """The experiment with one unknown changed.

    X and alpha_y sum K change in proportion; a change of the kernel's shape leaves X and Z as they are.
    """
    coupling = experiment.coupling
    match name:
        case "X":
            factor = value / read(experiment, "X")
            alphas = {"alpha_x": coupling.alpha_x * factor, "alpha_y": coupling.alpha_y * factor}
            return experiment.replace(coupling=coupling.replace(**alphas))
        case "Z":
            return experiment.replace(coupling=coupling.replace(alpha_z=value / experiment.kernel_sum))
        case "xi" | "exponent":
            shaped = experiment.replace(kernel=experiment.kernel.replace(**{name: value}))
            factor = experiment.kernel_sum / shaped.kernel_sum
            kept = {f"alpha_{d}": getattr(coupling, f"alpha_{d}") * factor for d in "xyz"}
            return shaped.replace(coupling=coupling.replace(**kept))
        case _:
            return experiment.replace(dissipation=experiment.dissipation.replace(**{name: value}))


def steps(values: NDArray[np.float64], names: tuple[Parameter, ...], reach: float) -> NDArray[np.float64]:
    """By how much to change each unknown for a derivative.

    Args:
        values: The unknowns over the prior, shape (n_curves, n_parameters).
        names: Which they are.
        reach: Share of the standard deviation of those that vary.
    """
    spread = values.std(axis=0)
    fixed = np.array([_STEPS.get(name, np.nan) for name in names])
    chosen: NDArray[np.float64] = np.where(spread > 0, reach * spread, fixed)
    return chosen


def precision(values: NDArray[np.float64], names: tuple[Parameter, ...]) -> NDArray[np.float64]:
    """What the prior knows of the unknowns: the inverse of their covariance, next to nothing of those it does not draw.

    Args:
        values: The unknowns over the prior, shape (n_curves, n_parameters).
        names: Which they are.

    Returns:
        Shape (n_parameters, n_parameters).
    """
    varied = values.std(axis=0) > 0
    covariance = np.diag([_VAGUE.get(name, np.inf) ** 2 for name in names])
    covariance[np.ix_(varied, varied)] = np.cov(values[:, varied].T, bias=True)
    known: NDArray[np.float64] = np.linalg.inv(covariance)
    return known


def target_gradient(experiment: Experiment, target: str, names: tuple[Parameter, ...]) -> NDArray[np.float64]:
    """Derivative of a target by the unknowns, shape (n_parameters,); W = (1 + alpha_y / alpha_x) X + Z."""
    weights = {"X": {"X": 1.0}, "Z": {"Z": 1.0}}.get(target)
    if weights is None:
        weights = {"X": 1 + experiment.coupling.alpha_y / experiment.coupling.alpha_x, "Z": 1.0}
    return np.array([weights.get(name, 0.0) for name in names])
