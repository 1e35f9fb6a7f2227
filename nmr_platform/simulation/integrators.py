"""Time stepping through a delay, one compiled function an integrator."""

from collections.abc import Callable
from typing import Literal

from numba import njit

from nmr_platform.simulation.field import MeanField, convolve
from nmr_platform.simulation.rotation import Array, Step, rotate

__all__ = ["ADVANCE", "INTEGRATORS", "STRIDE", "Integrator", "advance_euler", "advance_fast", "advance_midpoint"]

Integrator = Literal["euler", "midpoint", "fast"]
INTEGRATORS: tuple[Integrator, ...] = ("euler", "midpoint", "fast")

STRIDE = 3
"""Steps between two evaluations of the field in the fast integrator."""


@njit(nogil=True, cache=True)
def advance_euler(
    grid: Array,
    work: Array,
    mean_field: MeanField,
    step: Step,
    half: Step,  # noqa: ARG001 - all integrators are called alike
    sums: Array,
) -> None:
    """Take ``len(sums)`` steps with the field frozen over each: the literature's integrator, first order.

    Args:
        grid: (3, n_basis, *shape), the state; holds the state after the last step on return.
        work: (3, 3, n_basis, *shape), work space, zero at first; the first third holds the field.
        mean_field: The coupling.
        step: A whole step.
        half: The first half of a step.
        sums: (n_steps, 3), sum of the spins after every step.
    """
    n = step.static.shape[1]
    spins, field = grid.reshape((3, n)), work[0].reshape((3, n))
    for index in range(sums.shape[0]):
        convolve(grid, mean_field, work[0])
        sums[index, 0], sums[index, 1], sums[index, 2] = rotate(spins, field, step)


@njit(nogil=True, cache=True)
def advance_midpoint(grid: Array, work: Array, mean_field: MeanField, step: Step, half: Step, sums: Array) -> None:
    """Take ``len(sums)`` steps, each with the field of the state half-way: second order, two fields a step.

    Arguments as `advance_euler`.
    """
    n = step.static.shape[1]
    spins, field, middle = grid.reshape((3, n)), work[0].reshape((3, n)), work[1].reshape((3, n))
    for index in range(sums.shape[0]):
        convolve(grid, mean_field, work[0])
        middle[:] = spins
        rotate(middle, field, half)
        convolve(work[1], mean_field, work[0])
        sums[index, 0], sums[index, 1], sums[index, 2] = rotate(spins, field, step)


@njit(nogil=True, cache=True)
def advance_fast(grid: Array, work: Array, mean_field: MeanField, step: Step, half: Step, sums: Array) -> None:
    """Take ``len(sums)`` steps with a field that is evaluated every few steps and extrapolated linearly in between.

    Second order: the field turns slowly against the spins. The first few steps are those of `advance_midpoint`, which
    needs no past; arguments as there.
    """
    n = step.static.shape[1]
    n_steps, first = sums.shape[0], min(STRIDE, sums.shape[0])
    spins, field, slope = grid.reshape((3, n)), work[0].reshape((3, n)), work[2].reshape((3, n))
    share = step.series.dtype.type(1.0 / STRIDE)
    half_step = step.series.dtype.type(0.5)
    # The field before the first step is the past of the first extrapolation.
    convolve(grid, mean_field, work[2])
    advance_midpoint(grid, work, mean_field, step, half, sums[:first])
    previous = work[1].reshape((3, n))
    previous[:] = slope
    index = first
    while index < n_steps:
        convolve(grid, mean_field, work[0])
        for d in range(3):
            for i in range(n):
                latest = field[d, i]
                rise = share * (latest - previous[d, i])
                previous[d, i] = latest
                slope[d, i] = rise
                field[d, i] = latest + half_step * rise
        for inner in range(min(STRIDE, n_steps - index)):
            if inner > 0:
                for d in range(3):
                    for i in range(n):
                        field[d, i] += slope[d, i]
            sums[index, 0], sums[index, 1], sums[index, 2] = rotate(spins, field, step)
            index += 1


ADVANCE: dict[Integrator, Callable[..., None]] = {
    "euler": advance_euler,
    "midpoint": advance_midpoint,
    "fast": advance_fast,
}
