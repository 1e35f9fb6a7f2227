"""The compiled inner loop: mean field by FFT, exact rotation of every spin about it, decay.

The state is a (3, N) array whose rows are the x, y and z components of P_j m_j, the spins times their field weights:
rotations and decay are linear in the spin, so the weights need not be applied again at every step. Rows rather than
columns, because the compiler then turns the rotation into vector instructions.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from rocket_fft import c2r, r2c

__all__ = ["advance_euler", "advance_midpoint", "convolve", "rotate"]

Array = NDArray[np.floating[Any]]
Scalar = np.floating[Any]

# Contraction and reassociation let sums and products use vector and fused instructions; NaN must still propagate.
_FAST = {"contract", "reassoc", "nsz"}
_FORWARD, _INVERSE, _ONE_THREAD = True, False, 1


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
def rotate(
    spins: Array,
    field: Array,
    phases: Array,
    weights: Array,
    rates: Array,
    relax: Array,
    doublings: int,
    series: Array,
    out: Array,
) -> tuple[Scalar, Scalar, Scalar]:
    """Let every spin decay, turn it about its field, let it decay again, and sum the components.

    Args:
        spins: (3, N), the state before.
        field: (3, N), the mean field F of every spin.
        phases: (N,), 2 pi nu h: phase that the offset winds up in the step, radians.
        weights: (N,), the field weights P, which scale the equilibrium that m_z relaxes to.
        rates: (3,), 2 pi alpha_d h: radians per unit of field.
        relax: (2, 3), before and after the rotation: factor on the transverse components, factor on the
            longitudinal one, and what relaxation adds to m_z.
        doublings: Halve the angle so often before its series is summed, and double it as often after.
        series: (18,), coefficients of sin(phi)/phi and (1 - cos(phi))/phi^2.
        out: (3, N), the state after; may be ``spins``.

    Returns:
        The three sums of ``out`` over the spins.
    """
    x, y, z = spins[0], spins[1], spins[2]
    fx, fy, fz = field[0], field[1], field[2]
    ox, oy, oz = out[0], out[1], out[2]
    rx, ry, rz = rates[0], rates[1], rates[2]
    t0, l0, e0 = relax[0, 0], relax[0, 1], relax[0, 2]
    t1, l1, e1 = relax[1, 0], relax[1, 1], relax[1, 2]
    zero = phases.dtype.type(0)
    sum_x, sum_y, sum_z = zero, zero, zero
    # Two loops, because a loop inside the first would keep the compiler from vectorising it.
    if doublings == 0:
        for i in range(phases.size):
            bx, by, bz = rx * fx[i], ry * fy[i], phases[i] + rz * fz[i]
            a, b = _angle_factors(bx * bx + by * by + bz * bz, series)
            vx, vy, vz = _rotated(t0 * x[i], t0 * y[i], l0 * z[i] + e0 * weights[i], bx, by, bz, a, b)
            vx, vy, vz = t1 * vx, t1 * vy, l1 * vz + e1 * weights[i]
            ox[i], oy[i], oz[i] = vx, vy, vz
            sum_x, sum_y, sum_z = sum_x + vx, sum_y + vy, sum_z + vz
    else:
        shrink = series[0] / series.dtype.type(4**doublings)
        for i in range(phases.size):
            bx, by, bz = rx * fx[i], ry * fy[i], phases[i] + rz * fz[i]
            u = shrink * (bx * bx + by * by + bz * bz)
            a, b = _angle_factors(u, series)
            for _ in range(doublings):
                # sin(2p)/(2p) = (sin(p)/p) cos(p), and (1 - cos(2p))/(2p)^2 = (sin(p)/p)^2 / 2.
                a, b = a * (series[0] - u * b), a * a * series[9]
                u = u + u + u + u
            vx, vy, vz = _rotated(t0 * x[i], t0 * y[i], l0 * z[i] + e0 * weights[i], bx, by, bz, a, b)
            vx, vy, vz = t1 * vx, t1 * vy, l1 * vz + e1 * weights[i]
            ox[i], oy[i], oz[i] = vx, vy, vz
            sum_x, sum_y, sum_z = sum_x + vx, sum_y + vy, sum_z + vz
    return sum_x, sum_y, sum_z


@njit(nogil=True, cache=True)
def convolve(
    grid: Array,
    kernel: NDArray[Any],
    spectrum: NDArray[Any],
    axes: NDArray[np.int64],
    coupled: tuple[int, int],
    out: Array,
) -> None:
    """Mean field F = K * (P m) of the coupled components, by real FFT.

    Args:
        grid: (3, *shape), the state on the lattice.
        kernel: (N_spectrum,), FFT of K divided by N; real where K is even.
        spectrum: (3, *spectral shape), complex work space.
        axes: The lattice axes of ``grid``.
        coupled: First component that couples, and one past the last.
        out: (3, *shape), the field; components that do not couple are left as they are.
    """
    first, last = coupled
    one: Any = grid.dtype.type(1)
    r2c(grid[first:last], spectrum[first:last], axes, _FORWARD, one, _ONE_THREAD)
    rows = spectrum.reshape((3, kernel.size))
    for d in range(first, last):
        for k in range(kernel.size):
            rows[d, k] *= kernel[k]
    c2r(spectrum[first:last], out[first:last], axes, _INVERSE, one, _ONE_THREAD)


@njit(nogil=True, cache=True)
def advance_euler(
    grid: Array,
    work: Array,
    kernel: NDArray[Any],
    spectrum: NDArray[Any],
    axes: NDArray[np.int64],
    coupled: tuple[int, int],
    phases: Array,
    weights: Array,
    rates: Array,
    relax: Array,
    doublings: int,
    series: Array,
    sums: Array,
) -> None:
    """Take ``len(sums)`` steps with the field frozen over each: the literature's integrator, first order.

    Args:
        grid: (3, *shape), the state; holds the state after the last step on return.
        work: (2, 3, *shape), zeros at first; the first half holds the field.
        kernel: See `convolve`.
        spectrum: See `convolve`.
        axes: See `convolve`.
        coupled: See `convolve`; the second not above the first means no coupling.
        phases: See `rotate`.
        weights: See `rotate`.
        rates: See `rotate`.
        relax: See `rotate`.
        doublings: See `rotate`.
        series: See `rotate`.
        sums: (n_steps, 3), sum of the spins after every step.
    """
    field = work[0].reshape((3, phases.size))
    spins = grid.reshape((3, phases.size))
    for step in range(sums.shape[0]):
        if coupled[1] > coupled[0]:
            convolve(grid, kernel, spectrum, axes, coupled, work[0])
        x, y, z = rotate(spins, field, phases, weights, rates, relax, doublings, series, spins)
        sums[step, 0], sums[step, 1], sums[step, 2] = x, y, z


@njit(nogil=True, cache=True)
def advance_midpoint(
    grid: Array,
    work: Array,
    kernel: NDArray[Any],
    spectrum: NDArray[Any],
    axes: NDArray[np.int64],
    coupled: tuple[int, int],
    phases: Array,
    weights: Array,
    rates: Array,
    relax: Array,
    doublings: int,
    series: Array,
    sums: Array,
) -> None:
    """Take ``len(sums)`` steps with the field of the half-way state, second order; arguments as `advance_euler`."""
    half = phases.dtype.type(0.5)
    field, middle = work[0].reshape((3, phases.size)), work[1].reshape((3, phases.size))
    spins = grid.reshape((3, phases.size))
    half_phases, half_rates, half_relax = half * phases, half * rates, relax.copy()
    half_relax[1, 0], half_relax[1, 1], half_relax[1, 2] = series[0], series[0], phases.dtype.type(0)
    for step in range(sums.shape[0]):
        if coupled[1] > coupled[0]:
            convolve(grid, kernel, spectrum, axes, coupled, work[0])
            rotate(spins, field, half_phases, weights, half_rates, half_relax, doublings, series, middle)
            convolve(work[1], kernel, spectrum, axes, coupled, work[0])
        x, y, z = rotate(spins, field, phases, weights, rates, relax, doublings, series, spins)
        sums[step, 0], sums[step, 1], sums[step, 2] = x, y, z
