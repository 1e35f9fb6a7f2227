"""The compiled time loop: the mean field by FFT, the exact rotation of every spin about it, and the integrators.

One module on purpose: numba's cache looks at the file of the function that it compiled, not at the files of the
functions which that one calls.

The state is a (3, N) array whose rows are the x, y and z components of P_j m_j, the spins times their field weights:
rotations and decay are linear in the spin, so the weights need not be applied again at every step. Rows rather than
columns, because the compiler then turns the loop into vector instructions.
"""

from collections.abc import Callable
from math import factorial, pi
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rocket_fft import c2r, r2c

from nmr_platform.portable import compiled

__all__ = [
    "ADVANCE",
    "BLOCK",
    "INTEGRATORS",
    "STRIDE",
    "Array",
    "Integrator",
    "MeanField",
    "Scalar",
    "Step",
    "advance_euler",
    "advance_fast",
    "advance_midpoint",
    "convolve",
    "make_mean_field",
    "make_step",
    "rotate",
]

Integrator = Literal["euler", "midpoint", "fast"]
INTEGRATORS: tuple[Integrator, ...] = ("euler", "midpoint", "fast")

STRIDE = 3
"""Steps between two evaluations of the field in the fast integrator."""

BLOCK = 1024
"""Spins that are summed in the precision of the state, before their sum is added to the others in double precision."""

Array = NDArray[np.floating[Any]]
Scalar = np.floating[Any]

# Contraction and reassociation let sums and products use vector and fused instructions; NaN must still propagate.
_FAST = {"contract", "reassoc", "nsz"}
# What the next term of the series would add at 1 rad lies far below rounding.
_TERMS = {np.dtype("float32"): 6, np.dtype("float64"): 9}
_FORWARD, _INVERSE, _ONE_THREAD = True, False, 1


class Step(NamedTuple):
    """What a step of one length does to every spin, whatever the field.

    Attributes:
        static: (2, N): phase 2 pi nu h that the offset winds up in the step, radians; and the field weights P, which
            scale the equilibrium that m_z relaxes to.
        rates: (3,), 2 pi alpha_d h: radians per unit of field.
        relax: (2, 3), before and after the rotation: factor on the transverse components, factor on the longitudinal
            one, and what relaxation adds to m_z / P.
        coarse: A spin may turn by more than 1 rad, for which the series are too short.
        turn: 2 pi.
        series: Coefficients of sin(phi)/phi, then as many of (1 - cos(phi))/phi^2, in powers of phi^2; a tuple, so
            that the compiler knows how many there are.
    """

    static: Array
    rates: Array
    relax: Array
    coarse: bool
    turn: Scalar
    series: tuple[Scalar, ...]


def make_step(
    phases: Array, weights: Array, rates: Array, relax: Array, largest_angle: float, dtype: np.dtype[Any]
) -> Step:
    """Put a step together.

    Args:
        phases: Phase that the offset of each spin winds up in the step, radians, shape (N,).
        weights: Field weights P, dimensionless, shape (N,).
        rates: Radians per unit of field, shape (3,).
        relax: Decay before and after the rotation, dimensionless, shape (2, 3), see `Step`.
        largest_angle: Bound on the rotation of any spin in the step, radians.
        dtype: Precision.
    """
    static, real = np.array([phases, weights], dtype), dtype.type
    series = [(-1) ** k / factorial(2 * k + offset) for offset in (1, 2) for k in range(_TERMS[dtype])]
    coarse = largest_angle > 1
    return Step(static, rates.astype(dtype), relax.astype(dtype), coarse, real(2 * pi), tuple(real(c) for c in series))


@compiled(nogil=True, fastmath=_FAST, inline="always")
def _angle_factors(u: Scalar, c: tuple[Scalar, ...]) -> tuple[Scalar, Scalar]:
    """Return sin(phi)/phi and (1 - cos(phi))/phi^2 at u = phi^2 by their series, which are exact to 1 rad."""
    n = len(c) // 2
    a, b = c[n - 1], c[2 * n - 1]
    for k in range(2, n + 1):
        a, b = c[n - k] + u * a, c[2 * n - k] + u * b
    return a, b


@compiled(nogil=True, fastmath=_FAST, inline="always")
def _coarse_factors(u: Scalar, c: tuple[Scalar, ...], turn: Scalar) -> tuple[Scalar, Scalar]:
    """Return the same at any angle: off come the whole turns, and a quarter of the rest is doubled twice."""
    one, half = c[0], c[len(c) // 2]
    angle = np.sqrt(u)
    whole = turn * np.floor(one / turn * angle + half)
    # Below half a radian there is no whole turn, and any divisor that is not zero will do.
    share = one - whole / max(angle, half)
    rest = half * half * (angle - whole)
    v = rest * rest
    a, b = _angle_factors(v, c)
    # sin(2p)/(2p) = (sin(p)/p) cos(p), and (1 - cos(2p))/(2p)^2 = (sin(p)/p)^2 / 2.
    a, b = a * (one - v * b), half * a * a
    v = v + v + v + v
    a, b = a * (one - v * b), half * a * a
    return share * a, share * share * b


@compiled(nogil=True, fastmath=_FAST, inline="always")
def _rotated(
    x: Scalar, y: Scalar, z: Scalar, bx: Scalar, by: Scalar, bz: Scalar, a: Scalar, b: Scalar
) -> tuple[Scalar, Scalar, Scalar]:
    """Return m + a (m x B) + b (m x B) x B: m after turning by |B| in the sense of dm/ds = m x B."""
    px, py, pz = y * bz - z * by, z * bx - x * bz, x * by - y * bx
    qx, qy, qz = py * bz - pz * by, pz * bx - px * bz, px * by - py * bx
    return x + a * px + b * qx, y + a * py + b * qy, z + a * pz + b * qz


@compiled(nogil=True, fastmath=_FAST, error_model="numpy")
def rotate(spins: Array, field: Array, step: Step) -> tuple[Scalar, Scalar, Scalar]:
    """Let every spin decay, turn it about its field, let it decay again, in place, and sum the components.

    Only one array is written, and few are read: with more of them the compiler gives up proving that they do not
    overlap, and the loop runs nine times slower.

    Args:
        spins: (3, N), the state, dimensionless.
        field: (3, N), the field of every spin, in the unit that the step's rates turn into radians.
        step: What the step does besides.

    Returns:
        The three sums of the spins after the step, dimensionless, float64.
    """
    static, rates, relax, series, turn = step.static, step.rates, step.relax, step.series, step.turn
    rx, ry, rz = rates[0], rates[1], rates[2]
    t0, l0, e0 = relax[0, 0], relax[0, 1], relax[0, 2]
    t1, l1, e1 = relax[1, 0], relax[1, 1], relax[1, 2]
    n, zero = spins.shape[1], turn - turn
    total_x, total_y, total_z = np.float64(0), np.float64(0), np.float64(0)
    for first in range(0, n, BLOCK):
        # An index that may be negative, for all that the compiler knows, would keep it from vectorising the loop.
        block = range(np.uintp(first), np.uintp(min(first + BLOCK, n)))
        sum_x, sum_y, sum_z = zero, zero, zero
        if step.coarse:
            for i in block:
                bx, by, bz = rx * field[0, i], ry * field[1, i], static[0, i] + rz * field[2, i]
                a, b = _coarse_factors(bx * bx + by * by + bz * bz, series, turn)
                x, y, z = t0 * spins[0, i], t0 * spins[1, i], l0 * spins[2, i] + e0 * static[1, i]
                x, y, z = _rotated(x, y, z, bx, by, bz, a, b)
                x, y, z = t1 * x, t1 * y, l1 * z + e1 * static[1, i]
                spins[0, i], spins[1, i], spins[2, i] = x, y, z
                sum_x, sum_y, sum_z = sum_x + x, sum_y + y, sum_z + z
        else:
            for i in block:
                bx, by, bz = rx * field[0, i], ry * field[1, i], static[0, i] + rz * field[2, i]
                a, b = _angle_factors(bx * bx + by * by + bz * bz, series)
                x, y, z = t0 * spins[0, i], t0 * spins[1, i], l0 * spins[2, i] + e0 * static[1, i]
                x, y, z = _rotated(x, y, z, bx, by, bz, a, b)
                x, y, z = t1 * x, t1 * y, l1 * z + e1 * static[1, i]
                spins[0, i], spins[1, i], spins[2, i] = x, y, z
                sum_x, sum_y, sum_z = sum_x + x, sum_y + y, sum_z + z
        total_x, total_y, total_z = total_x + sum_x, total_y + sum_y, total_z + sum_z
    return total_x, total_y, total_z


class MeanField(NamedTuple):
    """A coupling made ready for convolution.

    Attributes:
        kernel: (n_basis, n_basis, n_spectrum), FFT of K over the number of cells, from the second site to the first;
            real where K is even.
        spectrum: (3, n_basis, *spectral shape), complex work space.
        axes: The axes of the lattice cells in the state.
        coupled: First component that couples, and one past the last; equal if none does.
        tensor: (3, 3), which mixes the components of the field; (0, 0) if it leaves them as they are.
    """

    kernel: NDArray[Any]
    spectrum: NDArray[Any]
    axes: NDArray[np.int64]
    coupled: tuple[int, int]
    tensor: Array


def make_mean_field(
    values: NDArray[np.float64],
    rates: NDArray[np.float64],
    dtype: np.dtype[Any],
    tensor: NDArray[np.float64] | None = None,
) -> MeanField:
    """Prepare the convolution with K.

    Args:
        values: K, dimensionless, shape (n_basis, n_basis, *shape).
        rates: Couplings of the three components, shape (3,), in any unit; a component without coupling is left out.
        dtype: Precision.
        tensor: Mixes the components of the field, which then all couple, shape (3, 3), in any unit; None to leave them.
    """
    n_basis, shape = values.shape[0], values.shape[2:]
    axes = tuple(range(2, values.ndim))
    spectrum = np.fft.rfftn(values, axes=axes) / np.prod(shape)
    complex_dtype = np.result_type(dtype, np.complex64)
    even = np.abs(spectrum.imag).max() <= 1e-12 * max(np.abs(spectrum).max(), np.finfo(float).tiny)
    # What is too large for the precision shows in the record, which is refused then.
    with np.errstate(over="ignore"):
        kernel = spectrum.real.astype(dtype) if even else spectrum.astype(complex_dtype)
    coupled = np.flatnonzero(rates) if values.any() else np.zeros(0, int)
    return MeanField(
        np.ascontiguousarray(kernel.reshape(n_basis, n_basis, -1)),
        np.empty((3, n_basis, *spectrum.shape[2:]), complex_dtype),
        np.array(axes),
        (int(coupled.min()), int(coupled.max()) + 1) if coupled.size else (0, 0),
        np.zeros((0, 0), dtype) if tensor is None else tensor.astype(dtype),
    )


@compiled(nogil=True)
def convolve(grid: Array, mean_field: MeanField, out: Array) -> None:
    """Mean field F = K * (P m) of the coupled components, or A F with the tensor A.

    Args:
        grid: (3, n_basis, *shape), the state on the lattice, dimensionless.
        mean_field: The coupling.
        out: As ``grid``, the field; components that do not couple are left as they are.
    """
    first, last = mean_field.coupled
    if last == first:
        return
    kernel, spectrum, axes = mean_field.kernel, mean_field.spectrum, mean_field.axes
    one: Any = grid.dtype.type(1)
    r2c(grid[first:last], spectrum[first:last], axes, _FORWARD, one, _ONE_THREAD)
    n_basis, n_spectrum = kernel.shape[0], kernel.shape[2]
    rows = spectrum.reshape((3, n_basis, n_spectrum))
    if n_basis == 1:
        for d in range(first, last):
            for k in range(n_spectrum):
                rows[d, 0, k] *= kernel[0, 0, k]
    else:
        _mix(rows[first:last], kernel)
    c2r(spectrum[first:last], out[first:last], axes, _INVERSE, one, _ONE_THREAD)
    if mean_field.tensor.size:
        _mix_components(out.reshape((3, out.size // 3)), mean_field.tensor)


@compiled(nogil=True, fastmath=_FAST)
def _mix_components(field: Array, tensor: Array) -> None:
    """Multiply the field of every spin by the tensor."""
    xx, xy, xz = tensor[0, 0], tensor[0, 1], tensor[0, 2]
    yx, yy, yz = tensor[1, 0], tensor[1, 1], tensor[1, 2]
    zx, zy, zz = tensor[2, 0], tensor[2, 1], tensor[2, 2]
    for i in range(field.shape[1]):
        x, y, z = field[0, i], field[1, i], field[2, i]
        field[0, i] = xx * x + xy * y + xz * z
        field[1, i] = yx * x + yy * y + yz * z
        field[2, i] = zx * x + zy * y + zz * z


@compiled(nogil=True)
def _mix(rows: NDArray[Any], kernel: NDArray[Any]) -> None:
    """Multiply the spectra of the sublattices by the kernel's matrix, at every wave vector."""
    before = np.empty(kernel.shape[0], rows.dtype)
    for d in range(rows.shape[0]):
        for k in range(kernel.shape[2]):
            before[:] = rows[d, :, k]
            for a in range(kernel.shape[0]):
                after = before[0] * kernel[a, 0, k]
                for b in range(1, kernel.shape[0]):
                    after += before[b] * kernel[a, b, k]
                rows[d, a, k] = after


@compiled(nogil=True)
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
        grid: (3, n_basis, *shape), the state, dimensionless; holds the state after the last step on return.
        work: (3, 3, n_basis, *shape), work space, zero at first; the first third holds the field.
        mean_field: The coupling.
        step: A whole step.
        half: The first half of a step.
        sums: (n_steps, 3), takes the sum of the spins after every step, dimensionless.
    """
    n = step.static.shape[1]
    spins, field = grid.reshape((3, n)), work[0].reshape((3, n))
    for index in range(sums.shape[0]):
        convolve(grid, mean_field, work[0])
        sums[index, 0], sums[index, 1], sums[index, 2] = rotate(spins, field, step)


@compiled(nogil=True)
def advance_midpoint(grid: Array, work: Array, mean_field: MeanField, step: Step, half: Step, sums: Array) -> None:
    """Take ``len(sums)`` steps, each with the field of the state half-way: second order, two fields a step.

    For the arguments see `advance_euler`.
    """
    n = step.static.shape[1]
    spins, field, middle = grid.reshape((3, n)), work[0].reshape((3, n)), work[1].reshape((3, n))
    for index in range(sums.shape[0]):
        convolve(grid, mean_field, work[0])
        middle[:] = spins
        rotate(middle, field, half)
        convolve(work[1], mean_field, work[0])
        sums[index, 0], sums[index, 1], sums[index, 2] = rotate(spins, field, step)


@compiled(nogil=True)
def advance_fast(grid: Array, work: Array, mean_field: MeanField, step: Step, half: Step, sums: Array) -> None:
    """Take ``len(sums)`` steps with a field that is evaluated every few steps and extrapolated linearly in between.

    Second order: the field turns slowly against the spins. The first few steps are those of `advance_midpoint`, which
    needs no past. For the arguments see `advance_euler`.
    """
    n = step.static.shape[1]
    n_steps, first = sums.shape[0], min(STRIDE, sums.shape[0])
    spins, field, slope = grid.reshape((3, n)), work[0].reshape((3, n)), work[2].reshape((3, n))
    share = grid.dtype.type(1.0 / STRIDE)
    half_step = grid.dtype.type(0.5)
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
