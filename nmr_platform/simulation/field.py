"""The mean field of all spins as a convolution by FFT, inside compiled code."""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray
from rocket_fft import c2r, r2c

from nmr_platform.simulation.rotation import Array

__all__ = ["MeanField", "convolve", "make_mean_field"]

_FORWARD, _INVERSE, _ONE_THREAD = True, False, 1


class MeanField(NamedTuple):
    """A coupling made ready for convolution.

    Attributes:
        kernel: (n_basis, n_basis, n_spectrum), FFT of K over the number of cells, from the second site to the first;
            real where K is even.
        spectrum: (3, n_basis, *spectral shape), complex work space.
        axes: The axes of the lattice cells in the state.
        coupled: First component that couples, and one past the last; equal if none does.
    """

    kernel: NDArray[Any]
    spectrum: NDArray[Any]
    axes: NDArray[np.int64]
    coupled: tuple[int, int]


def make_mean_field(values: NDArray[np.float64], rates: NDArray[np.float64], dtype: np.dtype[Any]) -> MeanField:
    """Prepare the convolution with K.

    Args:
        values: K, shape (n_basis, n_basis, *shape).
        rates: Couplings of the three components, in any unit; a component without coupling is left out.
        dtype: Precision.
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
    )


@njit(nogil=True, cache=True)
def convolve(grid: Array, mean_field: MeanField, out: Array) -> None:
    """Mean field F = K * (P m) of the coupled components.

    Args:
        grid: (3, n_basis, *shape), the state on the lattice.
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


@njit(nogil=True, cache=True)
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
