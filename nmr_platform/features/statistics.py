"""Numbers that describe a peak, its phase and a decay: pure functions from samples to one value a curve."""

import numpy as np
from numpy.typing import NDArray
from scipy.signal import find_peaks

from nmr_platform import portable

__all__ = [
    "decay_rate",
    "fall_time",
    "mean_frequency",
    "ratio",
    "secondary_maximum",
    "slope",
    "standardised_moments",
]

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]


def ratio(numerator: Real, denominator: Real) -> Real:
    """Quotient, and zero where the denominator is zero.

    Args:
        numerator: Of any shape and unit.
        denominator: Of the same shape, in any unit.

    Returns:
        The same shape, in the unit of the numerator over that of the denominator.
    """
    quotient: Real = np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator != 0)
    return quotient


def standardised_moments(weights: Real, time: Real) -> tuple[Real, Real, Real, Real]:
    """Mean, standard deviation, skewness and kurtosis of time under weights; zero where there is no weight.

    Args:
        weights: Shape (n_curves, n), not negative, in any unit.
        time: Shape (n,), in any unit.

    Returns:
        Four arrays of shape (n_curves,): the first two in the unit of ``time``, the others dimensionless.
    """
    total = weights.sum(axis=1)
    mean = ratio((weights * time).sum(axis=1), total)
    offsets = time - mean[:, np.newaxis]
    squares = offsets * offsets
    second, third, fourth = (
        ratio((weights * powers).sum(axis=1), total) for powers in (squares, squares * offsets, squares * squares)
    )
    return mean, np.sqrt(second), ratio(third, second * np.sqrt(second)), ratio(fourth, second**2)


def decay_rate(magnitude: Real, distance: Real) -> Real:
    """Rate of the exponential that fits best: minus the slope of a line through log|M|, weighted with |M|^2.

    These are the weights of least squares on |M| itself, to first order in the deviations. Zero where |M| is.

    Args:
        magnitude: |M|, shape (n_curves, n), dimensionless.
        distance: From where the decay begins, shape (n,) or (n_curves, n), in any unit.

    Returns:
        Shape (n_curves,), in inverse units of distance.
    """
    return -slope(portable.log(np.where(magnitude > 0, magnitude, 1.0)), distance, magnitude**2)


def slope(values: Real, x: Real, weights: Real) -> Real:
    """Slope of the line that fits best by weighted least squares; zero where all weight lies on one x.

    Args:
        values: Shape (n_curves, n), in any unit.
        x: Shape (n,) or (n_curves, n), in any unit.
        weights: Shape (n_curves, n), not negative, in any unit.

    Returns:
        Shape (n_curves,), in the unit of ``values`` over that of ``x``.
    """
    offsets = x - ratio((weights * x).sum(axis=1), weights.sum(axis=1))[:, np.newaxis]
    return ratio((weights * offsets * values).sum(axis=1), (weights * offsets**2).sum(axis=1))


def fall_time(magnitude: Real, time: Real, first: NDArray[np.int64], level: Real) -> Real:
    """How long |M| takes from a sample on until it is no longer above a level, between samples by a straight line.

    Args:
        magnitude: |M|, shape (n_curves, n), dimensionless.
        time: Equidistant, shape (n,), in any unit.
        first: Number of the sample to begin at, shape (n_curves,).
        level: In the unit of ``magnitude``, shape (n_curves,).

    Returns:
        Shape (n_curves,), in the unit of ``time``; until the last sample where the level is not reached.
    """
    rows, columns = np.arange(len(magnitude)), np.arange(magnitude.shape[1])
    fallen = (magnitude <= level[:, np.newaxis]) & (columns > first[:, np.newaxis])
    reached = fallen.any(axis=1)
    index = np.where(reached, fallen.argmax(axis=1), magnitude.shape[1] - 1)
    before = np.maximum(index - 1, first)
    drop = magnitude[rows, before] - magnitude[rows, index]
    share = np.where(reached, ratio(magnitude[rows, before] - level, drop), 1)
    step = time[1] - time[0]
    elapsed: Real = (before - first + share * (index - before)) * step
    return elapsed


def mean_frequency(m: Complex, step: float) -> Real:
    """Mean frequency of a rotating signal, weighted with |M|^2: sum Im(M* dM/dt) / (2 pi sum |M|^2).

    Args:
        m: M, shape (n_curves, n), dimensionless.
        step: Time between two samples, us.

    Returns:
        Shape (n_curves,), MHz; zero where M is. Derivatives are central differences.
    """
    turning = m.real * np.gradient(m.imag, step, axis=1) - m.imag * np.gradient(m.real, step, axis=1)
    return ratio(turning.sum(axis=1), 2 * np.pi * (m.real**2 + m.imag**2).sum(axis=1))


def secondary_maximum(magnitude: Real, prominence: float) -> tuple[Real, NDArray[np.int64], Real, Real]:
    """Number of maxima that stand out, and the most prominent of them besides the largest value.

    Args:
        magnitude: |M|, shape (n_curves, n), dimensionless.
        prominence: How far a maximum must stand out above the higher of the two saddles beside it, dimensionless.

    Returns:
        Number of maxima; sample number, height and prominence (both dimensionless) of the second. Where there is none,
        its sample is that of the largest value, and height and prominence are zero. Each of shape (n_curves,).
    """
    largest = magnitude.argmax(axis=1)
    number, height, standing = np.zeros((3, len(magnitude)))
    second = largest.copy()
    for row, values in enumerate(magnitude):
        peaks, properties = find_peaks(values, prominence=prominence)
        others = peaks != largest[row]
        number[row] = len(peaks)
        if others.any():
            best = properties["prominences"][others].argmax()
            second[row] = peaks[others][best]
            height[row] = values[second[row]]
            standing[row] = properties["prominences"][others][best]
    return number, second, height, standing
