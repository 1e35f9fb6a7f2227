"""Exact rotation and decay of every spin, compiled into vector instructions.

The state is a (3, N) array whose rows are the x, y and z components of P_j m_j, the spins times their field weights:
rotations and decay are linear in the spin, so the weights need not be applied again at every step. Rows rather than
columns, because the compiler then turns the loop into vector instructions.
"""

from math import ceil, factorial, log2
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["Array", "Scalar", "Step", "make_step", "rotate"]

Array = NDArray[np.floating[Any]]
Scalar = np.floating[Any]

# Contraction and reassociation let sums and products use vector and fused instructions; NaN must still propagate.
_FAST = {"contract", "reassoc", "nsz"}
_SERIES = [(-1) ** k / factorial(2 * k + 1) for k in range(9)] + [(-1) ** k / factorial(2 * k + 2) for k in range(9)]


class Step(NamedTuple):
    """What a step of one length does to every spin, whatever the field.

    Attributes:
        static: (2, N): phase 2 pi nu h that the offset winds up in the step, radians; and the field weights P, which
            scale the equilibrium that m_z relaxes to.
        rates: (3,), 2 pi alpha_d h: radians per unit of field.
        relax: (2, 3), before and after the rotation: factor on the transverse components, factor on the longitudinal
            one, and what relaxation adds to m_z / P.
        doublings: Halve the angle so often before its series is summed, and double it as often after.
        series: (18,), coefficients of sin(phi)/phi and (1 - cos(phi))/phi^2.
    """

    static: Array
    rates: Array
    relax: Array
    doublings: int
    series: Array


def make_step(
    phases: Array, weights: Array, rates: Array, relax: Array, largest_angle: float, dtype: np.dtype[Any]
) -> Step:
    """Put a step together in ``dtype``; ``largest_angle`` bounds the rotation of any spin in it, radians."""
    doublings = max(0, ceil(log2(largest_angle))) if largest_angle > 1 else 0
    static = np.array([phases, weights], dtype)
    return Step(static, rates.astype(dtype), relax.astype(dtype), doublings, np.array(_SERIES, dtype))


@njit(nogil=True, fastmath=_FAST, inline="always")
def _angle_factors(u: Scalar, c: Array) -> tuple[Scalar, Scalar]:
    """Return sin(phi)/phi and (1 - cos(phi))/phi^2 at u = phi^2 by nine terms of their series: exact to 1 rad."""
    a = c[0] + u * (c[1] + u * (c[2] + u * (c[3] + u * (c[4] + u * (c[5] + u * (c[6] + u * (c[7] + u * c[8])))))))
    b = c[9] + u * (
        c[10] + u * (c[11] + u * (c[12] + u * (c[13] + u * (c[14] + u * (c[15] + u * (c[16] + u * c[17]))))))
    )
    return a, b


@njit(nogil=True, fastmath=_FAST, inline="always")
def _rotated(
    x: Scalar, y: Scalar, z: Scalar, bx: Scalar, by: Scalar, bz: Scalar, a: Scalar, b: Scalar
) -> tuple[Scalar, Scalar, Scalar]:
    """Return m + a (m x B) + b (m x B) x B: m after turning by |B| in the sense of dm/ds = m x B."""
    px, py, pz = y * bz - z * by, z * bx - x * bz, x * by - y * bx
    qx, qy, qz = py * bz - pz * by, pz * bx - px * bz, px * by - py * bx
    return x + a * px + b * qx, y + a * py + b * qy, z + a * pz + b * qz


@njit(nogil=True, fastmath=_FAST, error_model="numpy", cache=True)
def rotate(spins: Array, field: Array, step: Step) -> tuple[Scalar, Scalar, Scalar]:
    """Let every spin decay, turn it about its field, let it decay again, in place, and sum the components.

    Only one array is written, and few are read: with more of them the compiler gives up proving that they do not
    overlap, and the loop runs nine times slower.

    Args:
        spins: (3, N), the state.
        field: (3, N), the mean field F of every spin.
        step: What the step does besides.

    Returns:
        The three sums of the spins after the step.
    """
    static, rates, relax, series = step.static, step.rates, step.relax, step.series
    rx, ry, rz = rates[0], rates[1], rates[2]
    t0, l0, e0 = relax[0, 0], relax[0, 1], relax[0, 2]
    t1, l1, e1 = relax[1, 0], relax[1, 1], relax[1, 2]
    zero = series[0] - series[0]
    sum_x, sum_y, sum_z = zero, zero, zero
    # Two loops, because a loop inside the first would keep the compiler from vectorising it.
    if step.doublings == 0:
        for i in range(spins.shape[1]):
            bx, by, bz = rx * field[0, i], ry * field[1, i], static[0, i] + rz * field[2, i]
            a, b = _angle_factors(bx * bx + by * by + bz * bz, series)
            x, y, z = t0 * spins[0, i], t0 * spins[1, i], l0 * spins[2, i] + e0 * static[1, i]
            x, y, z = _rotated(x, y, z, bx, by, bz, a, b)
            x, y, z = t1 * x, t1 * y, l1 * z + e1 * static[1, i]
            spins[0, i], spins[1, i], spins[2, i] = x, y, z
            sum_x, sum_y, sum_z = sum_x + x, sum_y + y, sum_z + z
    else:
        shrink = series[0] / series.dtype.type(4**step.doublings)
        for i in range(spins.shape[1]):
            bx, by, bz = rx * field[0, i], ry * field[1, i], static[0, i] + rz * field[2, i]
            u = shrink * (bx * bx + by * by + bz * bz)
            a, b = _angle_factors(u, series)
            for _ in range(step.doublings):
                # sin(2p)/(2p) = (sin(p)/p) cos(p), and (1 - cos(2p))/(2p)^2 = (sin(p)/p)^2 / 2.
                a, b = a * (series[0] - u * b), a * a * series[9]
                u = u + u + u + u
            x, y, z = t0 * spins[0, i], t0 * spins[1, i], l0 * spins[2, i] + e0 * static[1, i]
            x, y, z = _rotated(x, y, z, bx, by, bz, a, b)
            x, y, z = t1 * x, t1 * y, l1 * z + e1 * static[1, i]
            spins[0, i], spins[1, i], spins[2, i] = x, y, z
            sum_x, sum_y, sum_z = sum_x + x, sum_y + y, sum_z + z
    return sum_x, sum_y, sum_z
