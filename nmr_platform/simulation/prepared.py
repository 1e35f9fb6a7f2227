"""What the time loop takes: a step of one length, and a coupling, made ready."""

from math import factorial, pi
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nmr_platform import portable
from nmr_platform.simulation.modes import Modes, make_modes

__all__ = ["Array", "MeanField", "Scalar", "Step", "make_mean_field", "make_step"]

Array = NDArray[np.floating[Any]]
Scalar = np.floating[Any]

# What the next term of the series would add at 1 rad lies far below rounding.
_TERMS = {np.dtype("float32"): 6, np.dtype("float64"): 9}


class Step(NamedTuple):
    """What a step of one length does to every spin, whatever the field.

    Attributes:
        static: (2, N): phase 2 pi nu h that the offset winds up in the step, radians; and the field weights P, which
            scale the equilibrium that m_z relaxes to.
        rates: (3,), 2 pi alpha_d h: radians per unit of field.
        relax: (2, 3), before and after the rotation: factor on the transverse components, factor on the longitudinal
            one, and what relaxation adds to m_z / P.
        turn: 2 pi if a spin may turn by more than 1 rad, for which the series are too short; None if none does.
        series: Coefficients of sin(phi)/phi, then as many of (1 - cos(phi))/phi^2, in powers of phi^2; a tuple, so
            that the compiler knows how many there are.
    """

    static: Array
    rates: Array
    relax: Array
    turn: Scalar | None
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
    turn = real(2 * pi) if largest_angle > 1 else None
    return Step(static, rates.astype(dtype), relax.astype(dtype), turn, tuple(real(c) for c in series))


class MeanField(NamedTuple):
    """A coupling made ready for convolution.

    Attributes:
        kernel: (n_basis, n_basis, n_spectrum), FFT of K over the number of cells, from the second site to the first;
            real where K is even.
        spectrum: (3, n_basis, *spectral shape), complex work space.
        axes: The axes of the lattice cells in the state.
        coupled: First component that couples, and one past the last; equal if none does.
        tensor: (3, 3), which mixes the components of the field; (0, 0) if it leaves them as they are.
        modes: Few waves that take the place of kernel and spectrum, which are empty then; None for the full FFT.
    """

    kernel: NDArray[Any]
    spectrum: NDArray[Any]
    axes: NDArray[np.int64]
    coupled: tuple[int, int]
    tensor: Array
    modes: Modes | None


def make_mean_field(
    values: NDArray[np.float64],
    rates: NDArray[np.float64],
    dtype: np.dtype[Any],
    tensor: NDArray[np.float64] | None = None,
    *,
    full: bool = False,
) -> MeanField:
    """Prepare the convolution with K.

    Args:
        values: K, dimensionless, shape (n_basis, n_basis, *shape).
        rates: Couplings of the three components, shape (3,), in any unit; a component without coupling is left out.
        dtype: Precision.
        tensor: Mixes the components of the field, which then all couple, shape (3, 3), in any unit; None to leave them.
        full: Keep to the full FFT, however few the waves of K.
    """
    coupled = np.flatnonzero(rates) if values.any() else np.zeros(0, int)
    first, last = (int(coupled.min()), int(coupled.max()) + 1) if coupled.size else (0, 0)
    modes = None if full or first == last else make_modes(values, last - first, dtype)
    kernel, spectrum = _full(values if modes is None else values[..., :0], dtype)
    mixing = np.zeros((0, 0), dtype) if tensor is None else tensor.astype(dtype)
    return MeanField(kernel, spectrum, np.arange(2, values.ndim), (first, last), mixing, modes)


def _full(values: NDArray[np.float64], dtype: np.dtype[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Fields `kernel` and `spectrum` of `MeanField`."""
    n_basis, axes = values.shape[0], tuple(range(2, values.ndim))
    complex_dtype = np.result_type(dtype, np.complex64)
    if not values.size:
        return np.zeros((n_basis, n_basis, 0), dtype), np.zeros((3, *values.shape[1:]), complex_dtype)
    spectrum = np.fft.rfftn(values, axes=axes) / np.prod(values.shape[2:])
    even = np.abs(spectrum.imag).max() <= 1e-12 * max(portable.magnitude(spectrum).max(), np.finfo(float).tiny)
    # What is too large for the precision shows in the record, which is refused then.
    with np.errstate(over="ignore"):
        kernel = spectrum.real.astype(dtype) if even else spectrum.astype(complex_dtype)
    space = np.empty((3, n_basis, *spectrum.shape[2:]), complex_dtype)
    return np.ascontiguousarray(kernel.reshape(n_basis, n_basis, -1)), space
