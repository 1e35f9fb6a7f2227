"""The compiled time loop: the mean field by few waves or by FFT, exact rotations of all spins, and the integrators.

One module on purpose: numba's cache looks at the file of the function that it compiled, not at the files of the
functions which that one calls.

The state is a (3, N) array whose rows are the x, y and z components of P_j m_j, the spins times their field weights:
rotations and decay are linear in the spin, so the weights need not be applied again at every step. Rows rather than
columns, because the compiler then turns the loop into vector instructions.
"""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from rocket_fft import c2r, r2c

from nmr_platform.portable import compiled
from nmr_platform.simulation.modes import MODES, POINTS, Axis, Modes
from nmr_platform.simulation.prepared import Array, MeanField, Scalar, Step

__all__ = [
    "ADVANCE",
    "BLOCK",
    "INTEGRATORS",
    "STRIDE",
    "Integrator",
    "convolve",
    "rotate",
]

Integrator = Literal["euler", "midpoint", "fast"]
INTEGRATORS: tuple[Integrator, ...] = ("euler", "midpoint", "fast")

STRIDE = 3
"""Steps between two evaluations of the field in the fast integrator."""

BLOCK = 1024
"""Spins that are summed in the precision of the state, before their sum is added to the others in double precision."""

# Contraction and reassociation let sums and products use vector and fused instructions; NaN must still propagate.
_FAST = {"contract", "reassoc", "nsz"}
_FORWARD, _INVERSE, _ONE_THREAD = True, False, 1


@compiled(nogil=True, fastmath=_FAST, inline="always")
def _short_series(u: Scalar, c: tuple[Scalar, ...]) -> tuple[Scalar, Scalar]:
    """Return sin(phi)/phi and (1 - cos(phi))/phi^2 at u = phi^2 by their series, which are exact to 1 rad."""
    n = len(c) // 2
    a, b = c[n - 1], c[2 * n - 1]
    for k in range(2, n + 1):
        a, b = c[n - k] + u * a, c[2 * n - k] + u * b
    return a, b


# Below, the compiler sees of which type an argument is that may be None, and leaves the other way out.
@compiled(nogil=True, fastmath=_FAST, error_model="numpy")
def _angle_factors(u: Scalar, c: tuple[Scalar, ...], turn: Scalar | None) -> tuple[Scalar, Scalar]:
    """Return the same at any angle: off come the whole turns, and a quarter of the rest is doubled twice."""
    if turn is None:
        return _short_series(u, c)
    one, half = c[0], c[len(c) // 2]
    angle = np.sqrt(u)
    whole = turn * np.floor(one / turn * angle + half)
    # Below half a radian there is no whole turn, and any divisor that is not zero will do.
    share = one - whole / max(angle, half)
    rest = half * half * (angle - whole)
    v = rest * rest
    a, b = _short_series(v, c)
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


@compiled(nogil=True, fastmath=_FAST, inline="always")
def _extrapolated(field: Array, past: Array | None, share: Scalar, i: np.uintp) -> tuple[Scalar, Scalar, Scalar]:
    """Return the field of a spin."""
    x, y, z = field[0, i], field[1, i], field[2, i]
    if past is not None:
        x, y, z = x + share * (x - past[0, i]), y + share * (y - past[1, i]), z + share * (z - past[2, i])
    return x, y, z


@compiled(nogil=True, fastmath=_FAST, error_model="numpy")
def rotate(
    spins: Array, field: Array, step: Step, past: Array | None = None, ahead: float = 0.0
) -> tuple[Scalar, Scalar, Scalar]:
    """Let every spin decay, turn it about its field, let it decay again, in place, and sum the components.

    Only one array is written, and few are read: with more of them the compiler gives up proving that they do not
    overlap, and the loop runs nine times slower.

    Args:
        spins: (3, N), the state, dimensionless.
        field: (3, N), the field of every spin, in the unit that the step's rates turn into radians.
        step: What the step does besides.
        past: (3, N), an earlier field, from which and ``field`` that of the step is extrapolated; None to take
            ``field`` itself.
        ahead: Where the step is behind ``field``, over the time between the two.

    Returns:
        The three sums of the spins after the step, dimensionless, float64.
    """
    static, rates, relax, series, turn = step.static, step.rates, step.relax, step.series, step.turn
    rx, ry, rz = rates[0], rates[1], rates[2]
    t0, l0, e0 = relax[0, 0], relax[0, 1], relax[0, 2]
    t1, l1, e1 = relax[1, 0], relax[1, 1], relax[1, 2]
    n, zero, share = spins.shape[1], series[0] - series[0], spins.dtype.type(ahead)
    total_x, total_y, total_z = np.float64(0), np.float64(0), np.float64(0)
    for first in range(0, n, BLOCK):
        # An index that may be negative, for all that the compiler knows, would keep it from vectorising the loop.
        block = range(np.uintp(first), np.uintp(min(first + BLOCK, n)))
        sum_x, sum_y, sum_z = zero, zero, zero
        for i in block:
            fx, fy, fz = _extrapolated(field, past, share, i)
            bx, by, bz = rx * fx, ry * fy, static[0, i] + rz * fz
            a, b = _angle_factors(bx * bx + by * by + bz * bz, series, turn)
            x, y, z = t0 * spins[0, i], t0 * spins[1, i], l0 * spins[2, i] + e0 * static[1, i]
            x, y, z = _rotated(x, y, z, bx, by, bz, a, b)
            x, y, z = t1 * x, t1 * y, l1 * z + e1 * static[1, i]
            spins[0, i], spins[1, i], spins[2, i] = x, y, z
            sum_x, sum_y, sum_z = sum_x + x, sum_y + y, sum_z + z
        total_x, total_y, total_z = total_x + sum_x, total_y + sum_y, total_z + sum_z
    return total_x, total_y, total_z


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
    spectrum = mean_field.spectrum[first:last]
    _convolve_coupled(grid[first:last], mean_field.kernel, spectrum, mean_field.axes, mean_field.modes, out[first:last])
    if mean_field.tensor.size:
        _mix_components(out.reshape((3, out.size // 3)), mean_field.tensor)


@compiled(nogil=True)
def _convolve_coupled(
    grid: Array, kernel: NDArray[Any], spectrum: NDArray[Any], axes: NDArray[np.int64], modes: Modes | None, out: Array
) -> None:
    """The convolution, of components that couple all."""
    if modes is None:
        one: Any = grid.dtype.type(1)
        r2c(grid, spectrum, axes, _FORWARD, one, _ONE_THREAD)
        _mix(spectrum.reshape((grid.shape[0], kernel.shape[0], kernel.shape[2])), kernel)
        c2r(spectrum, out, axes, _INVERSE, one, _ONE_THREAD)
    else:
        _convolve_by_modes(grid, modes, out)


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
    if kernel.shape[0] == 1:
        for d in range(rows.shape[0]):
            for k in range(kernel.shape[2]):
                rows[d, 0, k] *= kernel[0, 0, k]
        return
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
def _convolve_by_modes(grid: Array, modes: Modes, out: Array) -> None:
    """The convolution: the amplitudes of the waves, what K makes of them, and back."""
    axes, source = modes.axes, grid.reshape(modes.axes[0].shape)
    for level in range(len(axes)):
        axis = axes[level]
        if level > 0:
            source = _waves_of(axes[level - 1]).reshape(axis.shape)
        # The longer loop inside.
        if axis.shape[2] == 1:
            _fold(source.transpose((2, 1, 0)), axis.points, axis.folded)
        else:
            _fold(source, axis.points, axis.folded)
        _add_up(axis)
    _couple(_waves_of(axes[-1]), modes)
    for level in range(len(axes) - 1, -1, -1):
        axis = axes[level]
        # The mirrored sums that are still there have the state in them: four times.
        _spread(axis, modes.tail if level == 0 else modes.tail - modes.tail)
        target = out.reshape(axis.shape) if level == 0 else _waves_of(axes[level - 1]).reshape(axis.shape)
        if axis.shape[2] == 1:
            _unfold(axis.folded, axis.points, target.transpose((2, 1, 0)))
        else:
            _unfold(axis.folded, axis.points, target)


@compiled(nogil=True)
def _waves_of(axis: Axis) -> Array:
    return axis.waves[: axis.starts[1, 4]]


@compiled(nogil=True, fastmath=_FAST)
def _couple(waves: Array, modes: Modes) -> None:
    """Multiply the amplitudes by the kernel."""
    n_flips, n_modes, n_basis, _ = modes.kernel.shape
    rows = waves.reshape((n_modes, waves.size // (n_modes * n_basis), n_basis))
    if n_flips == 1 and n_basis == 1:
        for i in range(n_modes):
            factor = modes.kernel[0, i, 0, 0]
            for d in range(rows.shape[1]):
                rows[i, d, 0] *= factor
        return
    before = rows.copy()
    rows[:] = 0
    for flip in range(n_flips):
        for i in range(n_modes):
            j = modes.partners[flip, i]
            for a in range(n_basis):
                for b in range(n_basis):
                    factor = modes.kernel[flip, i, a, b]
                    for d in range(rows.shape[1]):
                        rows[i, d, a] += factor * before[j, d, b]


@compiled(nogil=True, fastmath=_FAST)
def _fold(source: Array, points: NDArray[np.int64], folded: Array) -> None:
    """Sums and differences of the points that mirrors turn into each other, all other axes side by side."""
    outer, _, inner = source.shape
    for c in range(outer):
        first = c * inner
        for x in range(points.shape[1]):
            i, j, k, n = points[0, x], points[1, x], points[2, x], points[3, x]
            for m in range(inner):
                p, q, r, s = source[c, i, m], source[c, j, m], source[c, k, m], source[c, n, m]
                folded[0, x, first + m], folded[1, x, first + m] = p + q + (r + s), p + q - (r + s)
                folded[2, x, first + m], folded[3, x, first + m] = p - q - (r - s), p - q + (r - s)


@compiled(nogil=True, fastmath=_FAST)
def _unfold(folded: Array, points: NDArray[np.int64], out: Array) -> None:
    """The way back from `_fold`, but for a factor of four."""
    outer, _, inner = out.shape
    # With the loop over points outside, the compiler would take the rows for one stretch that overlaps with itself.
    for c in range(outer):
        first = c * inner
        for x in range(points.shape[1]):
            i, j, k, n = points[0, x], points[1, x], points[2, x], points[3, x]
            distinct = i not in (j, k)
            for m in range(inner):
                p, q, r, s = (
                    folded[0, x, first + m],
                    folded[1, x, first + m],
                    folded[2, x, first + m],
                    folded[3, x, first + m],
                )
                out[c, i, m], out[c, n, m] = p + q + (r + s), p - q + (r - s)
                if distinct:
                    out[c, j, m], out[c, k, m] = p + q - (r + s), p - q - (r - s)


@compiled(nogil=True, fastmath=_FAST)
def _add_up(axis: Axis) -> None:
    """Amplitudes of the waves in the columns of the folded points: a product of matrices.

    What fills a table up to whole tiles makes zeros of rows that belong to the next class, which comes after.
    """
    columns, rows, places = axis.folded.shape[2], axis.starts[0], axis.starts[1]
    for c in range(4):
        table, folded, waves = axis.tables[0, rows[c] : rows[c + 1]], axis.folded[c], axis.waves[places[c] :]
        for k in range(0, table.shape[0], MODES):
            waves[k], waves[k + 1], waves[k + 2] = 0, 0, 0
            for x in range(0, table.shape[1], POINTS):
                p0, p1, p2, p3 = table[k, x], table[k, x + 1], table[k, x + 2], table[k, x + 3]
                q0, q1, q2, q3 = table[k + 1, x], table[k + 1, x + 1], table[k + 1, x + 2], table[k + 1, x + 3]
                r0, r1, r2, r3 = table[k + 2, x], table[k + 2, x + 1], table[k + 2, x + 2], table[k + 2, x + 3]
                for i in range(columns):
                    e0, e1, e2, e3 = folded[x, i], folded[x + 1, i], folded[x + 2, i], folded[x + 3, i]
                    waves[k, i] += p0 * e0 + p1 * e1 + p2 * e2 + p3 * e3
                    waves[k + 1, i] += q0 * e0 + q1 * e1 + q2 * e2 + q3 * e3
                    waves[k + 2, i] += r0 * e0 + r1 * e1 + r2 * e2 + r3 * e3


@compiled(nogil=True, fastmath=_FAST)
def _spread(axis: Axis, kept: Scalar) -> None:
    """The values of the waves at the points, added to ``kept`` times what is there."""
    columns, rows, places = axis.folded.shape[2], axis.starts[0], axis.starts[1]
    for c in range(4):
        table, folded, waves = axis.tables[1, rows[c] : rows[c + 1]], axis.folded[c], axis.waves[places[c] :]
        for x in range(0, table.shape[1], POINTS):
            for y in range(x, x + POINTS):
                for i in range(columns):
                    folded[y, i] *= kept
            for k in range(0, table.shape[0], MODES):
                p0, p1, p2, p3 = table[k, x], table[k, x + 1], table[k, x + 2], table[k, x + 3]
                q0, q1, q2, q3 = table[k + 1, x], table[k + 1, x + 1], table[k + 1, x + 2], table[k + 1, x + 3]
                r0, r1, r2, r3 = table[k + 2, x], table[k + 2, x + 1], table[k + 2, x + 2], table[k + 2, x + 3]
                for i in range(columns):
                    w0, w1, w2 = waves[k, i], waves[k + 1, i], waves[k + 2, i]
                    folded[x, i] += p0 * w0 + q0 * w1 + r0 * w2
                    folded[x + 1, i] += p1 * w0 + q1 * w1 + r1 * w2
                    folded[x + 2, i] += p2 * w0 + q2 * w1 + r2 * w2
                    folded[x + 3, i] += p3 * w0 + q3 * w1 + r3 * w2


@compiled(nogil=True)
def _advance_euler(grid: Array, work: Array, mean_field: MeanField, step: Step, half: Step, sums: Array) -> None:  # noqa: ARG001 - all are called alike
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
def _advance_midpoint(grid: Array, work: Array, mean_field: MeanField, step: Step, half: Step, sums: Array) -> None:
    """Take ``len(sums)`` steps, each with the field of the state half-way: second order, two fields a step.

    For the arguments see `_advance_euler`.
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
def _advance_fast(grid: Array, work: Array, mean_field: MeanField, step: Step, half: Step, sums: Array) -> None:
    """Take ``len(sums)`` steps with a field that is evaluated every few steps and extrapolated linearly in between.

    Second order: the field turns slowly against the spins. The first few steps are those of `_advance_midpoint`, which
    needs no past. For the arguments see `_advance_euler`.
    """
    n = step.static.shape[1]
    n_steps, first = sums.shape[0], min(STRIDE, sums.shape[0])
    spins, latest = grid.reshape((3, n)), 0
    # The field before the first step is the past of the first extrapolation.
    convolve(grid, mean_field, work[2])
    _advance_midpoint(grid, work, mean_field, step, half, sums[:first])
    for index in range(first, n_steps):
        inner = (index - first) % STRIDE
        if inner == 0:
            latest = 2 - latest if index > first else 0
            convolve(grid, mean_field, work[latest])
        field, past = work[latest].reshape((3, n)), work[2 - latest].reshape((3, n))
        sums[index, 0], sums[index, 1], sums[index, 2] = rotate(spins, field, step, past, (inner + 0.5) / STRIDE)


ADVANCE: dict[Integrator, Callable[..., None]] = {
    "euler": _advance_euler,
    "midpoint": _advance_midpoint,
    "fast": _advance_fast,
}
