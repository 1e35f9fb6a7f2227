"""The unknowns of an experiment: read them off, change one while the others stay, and fit lines around a point."""

from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from nmr_platform.datasets import QUANTITIES
from nmr_platform.errors import ConfigurationError
from nmr_platform.physics import Experiment

__all__ = [
    "Line",
    "Parameter",
    "bound",
    "changed",
    "crossed",
    "displaced",
    "fit_line",
    "gradient",
    "precision",
    "read",
    "steps",
]

Parameter = Literal["X", "Z", "xi", "exponent", "gamma_plus", "gamma_minus", "gamma_z"]
Array = NDArray[np.float64]

# How far unknowns that the prior does not draw might be off: so far that hardly anything follows from it.
_VAGUE: dict[str, float] = {"xi": 10.0, "exponent": 1.0, "gamma_plus": 0.01, "gamma_minus": 0.01, "gamma_z": 0.01}
# Steps of these.
_STEPS: dict[str, float] = {"xi": 0.02, "exponent": 0.005, "gamma_plus": 2e-5, "gamma_minus": 2e-5, "gamma_z": 2e-5}
# Share of an unknown by which it is changed for the derivative of a formula.
_RELATIVE_STEP = 1e-4
# A length or an exponent shrinks to this share of its value at most.
_SMALLEST = 0.5
_FEWEST_PAIRS = 4


def read(experiment: Experiment, name: Parameter) -> float:
    """The value of an unknown: X and Z in MHz, xi in lattice constants, rates in MHz, the exponent a number.

    Args:
        experiment: Lattice, kernel, coupling and dissipation.
        name: Which unknown.

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

    Args:
        experiment: The experiment to change.
        name: Which unknown.
        value: Its new value, in the unit that `read` gives it in.
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
            kept = {name: value * factor for name, value in coupling if isinstance(value, float)}
            return shaped.replace(coupling=coupling.replace(**kept))
        case _:
            return experiment.replace(dissipation=experiment.dissipation.replace(**{name: value}))


def steps(values: Array, names: tuple[Parameter, ...], reach: float) -> Array:
    """By how much to change each unknown for a derivative.

    Args:
        values: The unknowns over the prior, shape (n_curves, n_parameters), in the units of `read`.
        names: Which they are.
        reach: Share of the standard deviation of those that vary, a number.

    Returns:
        Shape (n_parameters,), in the units of `read`.
    """
    spread = values.std(axis=0)
    fixed = np.array([_STEPS.get(name, np.nan) for name in names])
    chosen: Array = np.where(spread > 0, reach * spread, fixed)
    return chosen


def precision(values: Array, names: tuple[Parameter, ...]) -> Array:
    """What the prior knows of the unknowns: the inverse of their covariance, next to nothing of those it does not draw.

    Args:
        values: The unknowns over the prior, shape (n_curves, n_parameters), in the units of `read`.
        names: Which they are.

    Returns:
        Shape (n_parameters, n_parameters), in the inverse units of each pair.
    """
    varied = values.std(axis=0) > 0
    covariance = np.diag([_VAGUE.get(name, np.inf) ** 2 for name in names])
    covariance[np.ix_(varied, varied)] = np.cov(values[:, varied].T, bias=True)
    known: Array = np.linalg.inv(covariance)
    return known


def gradient(experiment: Experiment, target: str, names: tuple[Parameter, ...]) -> Array:
    """Derivative of a target by the unknowns, each of which changes while the others stay.

    Args:
        experiment: Where it is taken.
        target: Name of a quantity.
        names: Which unknowns there are.

    Returns:
        Shape (n_parameters,), in the unit of the target over that of each unknown.

    Example:
        >>> from nmr_platform.datasets import read_preset
        >>> example = read_preset("august2021").recipe("gaussian").example
        >>> [round(float(slope), 6) + 0.0 for slope in gradient(example, "W", ("X", "Z", "xi"))]  # W = 2 X + Z
        [2.0, 1.0, 0.0]
    """
    return np.array([_slope(experiment, target, name) for name in names])


def _slope(experiment: Experiment, target: str, name: Parameter) -> float:
    if name.startswith("gamma"):
        return float(target == name)
    at = read(experiment, name)
    step = _RELATIVE_STEP * abs(at)
    low, high = (QUANTITIES[target].of(changed(experiment, name, at + shift)) for shift in (-step, step))
    return (high - low) / (2 * step)


class Line(NamedTuple):
    """A linear fit over displacements.

    Attributes:
        slopes: Change of every number with every unknown in each group, shape (groups, n_unknowns, n_numbers).
        residuals: What the line does not explain, shape (n, n_numbers): the mean of r r^T over the rows estimates its
            covariance.
    """

    slopes: Array
    residuals: Array


def displaced(at: Array, steps: Array, names: tuple[Parameter, ...], *, groups: int, seed: int) -> Array:
    """Values of the unknowns around a point: displacements in opposite pairs, in directions drawn at random.

    Within a group those of different unknowns are orthogonal, so that slopes are well determined by as many pairs as
    there are unknowns.

    Args:
        at: The point, shape (n_unknowns,), in the units of `read`.
        steps: Root mean square of the displacement of each unknown, shape (n_unknowns,), in the same units.
        names: Which unknowns they are; rates stay positive, and so do range and exponent.
        groups: Number of sets of displacements.
        seed: Of the draw.

    Returns:
        Shape (groups, n_displacements, n_unknowns), in the units of `read`.
    """
    shape = (groups, max(_FEWEST_PAIRS, len(at)))
    # A stream an unknown: whatever is asked after it, it is displaced alike.
    streams = [np.random.default_rng([seed, get_args(Parameter).index(name)]) for name in names]
    axes, triangle = np.linalg.qr(np.stack([rng.normal(size=shape) for rng in streams], axis=-1))
    half = axes * np.sign(np.einsum("gkk->gk", triangle))[:, np.newaxis] * np.sqrt(shape[1])
    values = at + np.concatenate([half, -half], axis=1) * steps
    return np.maximum(values, [_lowest(name, value) for name, value in zip(names, at, strict=True)])


def _lowest(name: Parameter, value: float) -> float:
    if name.startswith("gamma"):
        return 0.0
    return _SMALLEST * value if name in {"xi", "exponent"} else -np.inf


def fit_line(values: Array, numbers: Array, steps: Array) -> Line:
    """Fit the numbers measured at displaced unknowns by a line; each group has a level of its own.

    Statistical linear regression (Lefebvre, Bruyninckx and De Schutter, *IEEE Trans. Autom. Control* 47, 1406, 2002):
    for displacements that reach nowhere the slopes are the derivatives and nothing is left over; for longer ones, what
    bends away from the line, or turns round like a phase, is left over and adds to the noise. Slopes are those of each
    group; what is left over is that of a line whose slopes all groups share.

    Args:
        values: Displaced unknowns, shape (groups, n_displacements, n_unknowns), in the units of `read`, the second half
            of the displacements opposite to the first, see `displaced`.
        numbers: What was measured there, shape (groups, n_displacements, n_numbers), in units of M.
        steps: Scale of each unknown, shape (n_unknowns,), in the units of `read`.
    """
    groups, n_displacements, n_unknowns = values.shape
    n_pairs = n_displacements // 2
    # What changes sign with the displacement, and what does not: the line can only explain the first.
    by_group_u = (values[:, :n_pairs] - values[:, n_pairs:]) / (2 * steps)
    by_group = (numbers[:, :n_pairs] - numbers[:, n_pairs:]) / 2
    slopes = np.linalg.pinv(by_group_u) @ by_group
    odd_u, odd = by_group_u.reshape(-1, n_unknowns), by_group.reshape(groups * n_pairs, -1)
    even = (numbers[:, :n_pairs] + numbers[:, n_pairs:]) / 2
    even = (even - even.mean(axis=1, keepdims=True)).reshape(len(odd_u), -1)
    common, *_ = np.linalg.lstsq(odd_u, odd)
    left = odd - odd_u @ common
    # The two add up, and each has lost degrees of freedom to its fit.
    freedom = np.array([len(odd_u) - n_unknowns, groups * (n_pairs - 1)])
    scale_odd, scale_even = np.sqrt(2 * len(odd_u) / freedom)
    return Line(slopes / steps[:, None], np.concatenate([left * scale_odd, even * scale_even]))


def crossed(slopes: Array) -> Array:
    """The mean product of slopes of different groups, (sum_g J_g)(sum_h J_h)^T without the terms g = h.

    What differs at random between groups, the slope's part that is peculiar to one disorder or to one draw of the
    displacements, averages out of such products, while it is never negative in the square of a mean.

    Args:
        slopes: Of each group, over noise of unit covariance, shape (groups, n_unknowns, n_numbers).

    Returns:
        The information on the unknowns, shape (n_unknowns, n_unknowns), in the inverse units of each pair; by chance it
        may have negative eigenvalues.
    """
    groups, total = len(slopes), slopes.sum(axis=0)
    own = np.einsum("gkd,gld->kl", slopes, slopes)
    product: Array = (total @ total.T - own) / (groups * (groups - 1))
    return product


def bound(information: Array, known: Array) -> Array:
    """Bound on the covariance of the unknowns, with what was known before.

    Args:
        information: Of the measurement, shape (n_unknowns, n_unknowns), see `crossed`; what is negative in it counts as
            none.
        known: That of the prior, likewise, see `precision`.

    Returns:
        Shape (n_unknowns, n_unknowns), in the units of each pair.

    Example:
        >>> bound(np.diag([3.0, -0.1]), np.eye(2)).round(3).tolist()
        [[0.25, 0.0], [0.0, 1.0]]
    """
    # In units of the prior: unknowns differ in scale by orders of magnitude.
    unit = np.linalg.inv(np.linalg.cholesky(known))
    gained, axes = np.linalg.eigh(unit @ information @ unit.T)
    rotated = unit.T @ axes
    covariance: Array = rotated / (1 + np.maximum(gained, 0.0)) @ rotated.T
    return covariance
