"""A line through what is measured around a point: slopes, and what they leave unexplained."""

from typing import NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from nmr_platform.pulse_design.objectives.settings import Parameter

__all__ = ["Line", "displaced", "fit_line"]

Array = NDArray[np.float64]

# Standard deviations beyond which no displacement goes.
_FURTHEST = 2.5
# A length or an exponent shrinks to this share of its value at most.
_SMALLEST = 0.5
_FEWEST_PAIRS = 4


class Line(NamedTuple):
    """A linear fit over displacements.

    Attributes:
        slopes: Change of every number with every unknown, shape (n_unknowns, n_numbers).
        residuals: What the line does not explain, shape (n, n_numbers): the mean of r r^T over the rows estimates its
            covariance.
    """

    slopes: Array
    residuals: Array


def displaced(at: Array, steps: Array, names: tuple[Parameter, ...], *, groups: int, seed: int) -> Array:
    """Values of the unknowns around a point: normal displacements in opposite pairs.

    Args:
        at: The point, shape (n_unknowns,).
        steps: Standard deviation of the displacement of each unknown, shape (n_unknowns,).
        names: Which unknowns they are; rates stay positive, and so do range and exponent.
        groups: Number of sets of displacements.
        seed: Of the draw.

    Returns:
        Shape (groups, n_displacements, n_unknowns).
    """
    shape = (groups, max(_FEWEST_PAIRS, len(at)))
    # A stream an unknown: whatever is asked beside it, it is displaced alike.
    streams = [np.random.default_rng([seed, get_args(Parameter).index(name)]) for name in names]
    half = np.stack([rng.normal(size=shape) for rng in streams], axis=-1).clip(-_FURTHEST, _FURTHEST)
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
    bends away from the line, or turns round like a phase, is left over and adds to the noise.

    Args:
        values: Displaced unknowns, shape (groups, n_displacements, n_unknowns), the second half of the displacements
            opposite to the first, see `displaced`.
        numbers: What was measured there, shape (groups, n_displacements, n_numbers).
        steps: Scale of each unknown, shape (n_unknowns,).
    """
    groups, n_displacements, n_unknowns = values.shape
    n_pairs = n_displacements // 2
    # What changes sign with the displacement, and what does not: the line can only explain the first.
    odd_u = ((values[:, :n_pairs] - values[:, n_pairs:]) / (2 * steps)).reshape(-1, n_unknowns)
    odd = ((numbers[:, :n_pairs] - numbers[:, n_pairs:]) / 2).reshape(len(odd_u), -1)
    even = (numbers[:, :n_pairs] + numbers[:, n_pairs:]) / 2
    even = (even - even.mean(axis=1, keepdims=True)).reshape(len(odd_u), -1)
    slopes, *_ = np.linalg.lstsq(odd_u, odd)
    left = odd - odd_u @ slopes
    # The two add up, and each has lost degrees of freedom to its fit.
    freedom = np.array([len(odd_u) - n_unknowns, groups * (n_pairs - 1)])
    scale_odd, scale_even = np.sqrt(2 * len(odd_u) / freedom)
    return Line(slopes / steps[:, None], np.concatenate([left * scale_odd, even * scale_even]))
