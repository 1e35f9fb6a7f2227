"""Smooth couplings by the few wave vectors that their spectrum consists of.

The Fourier transform of a smooth K is a constant, for a spin has no coupling to itself, and little else beyond a few
wave vectors: F = K * m is that constant times m and a sum over few waves. Their sines and cosines along one axis after
the other, that is small matrices, take the place of the full FFT.
"""

from collections.abc import Sequence
from itertools import product
from math import log2, pi, prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nmr_platform import portable

__all__ = ["Axis", "Modes", "make_modes"]

Real = NDArray[np.floating[Any]]
Complex = NDArray[np.complexfloating[Any, Any]]

MODES, POINTS = 3, 4
"""The loops go through the matrices by tiles of so many waves and points, which zeros fill up."""

# Measured on 64x64 to 256x256 spins, in multiplications of the matrices: what an element costs on its way into and out
# of them, along the last axis and along others, and what it costs a pair of FFTs, over the logarithm of their size.
_LAST, _OTHER, _FFT = 36, 9, 5.5
# A work space that leaves the caches is slower than the FFT.
_MOST_BYTES = 2**20


class Axis(NamedTuple):
    """Waves along one axis of the lattice, in classes: even cosines, odd cosines, even sines, odd sines.

    Even and odd are their numbers of periods. Four points that mirrors turn into each other need one value a class; an
    axis of odd length has two such points, and only the first and the last class.

    Attributes:
        shape: Elements before the axis, along it, and behind it, in the array that is transformed.
        points: (4, n_points): points x, -x, n/2 - x and n/2 + x, or twice the points x and -x.
        tables: (2, n_rows, n_points), waves at the first of the points, forward with the share of those that coincide.
        starts: (2, 5), first row of each class in the tables, and in the array of waves.
        folded: (4, n_points, columns), work space: sums and differences of the four points.
        waves: (n_waves and some, columns), work space: amplitudes of the waves.
    """

    shape: tuple[int, int, int]
    points: NDArray[np.int64]
    tables: Real
    starts: NDArray[np.int64]
    folded: Real
    waves: Real


class Modes(NamedTuple):
    """A smooth coupling made ready.

    Attributes:
        axes: The axes of the lattice cells, in order.
        kernel: (n_flips, n_modes, n_basis, n_basis), from the second site to the first: what a mode gets of itself and,
            where mirrors are no symmetries of K, of those with sines for cosines along some of the axes.
        partners: (n_flips, n_modes), those modes.
        tail: A quarter of the constant.
    """

    axes: tuple[Axis, ...]
    kernel: Real
    partners: NDArray[np.int64]
    tail: np.floating[Any]


class _Waves(NamedTuple):
    """Which waves an axis of ``n`` cells has: number of periods and parity (0: cosine, 1: sine), class by class."""

    n: int
    classes: tuple[list[tuple[int, int]], ...]

    @property
    def labels(self) -> list[tuple[int, int]]:
        return [label for members in self.classes for label in members]


def make_modes(values: NDArray[np.float64], n_components: int, dtype: np.dtype[Any]) -> Modes | None:
    """The waves of K, if they are so few that they are faster than the full FFT.

    What is left out is below the rounding error of the precision, relative to the largest value of the spectrum.

    Args:
        values: K, dimensionless, shape (n_basis, n_basis, *shape).
        n_components: How many components of the spins couple.
        dtype: Precision.
    """
    n_basis, shape = values.shape[0], values.shape[2:]
    spectrum = np.fft.fftn(values, axes=range(2, values.ndim))
    sites = range(n_basis)
    corner = spectrum[(sites, sites, *(n // 2 for n in shape))].real
    negligible = np.finfo(dtype).eps * portable.magnitude(spectrum).max()
    tail = float(corner.mean())
    spectrum[sites, sites] -= tail
    kept = (portable.magnitude(spectrum) > negligible).any(axis=(0, 1))
    waves = [_waves(n, _reach(kept, axis)) for axis, n in enumerate(shape)]
    outer = n_components * n_basis
    if not _pays(waves, outer, dtype):
        return None
    kernel, partners = _kernel(spectrum, waves)
    axes = _axes(waves, outer, dtype)
    return Modes(axes, kernel.astype(dtype), partners, dtype.type(tail / 4))


def _reach(kept: NDArray[np.bool_], axis: int) -> int:
    """Largest number of periods along the axis that is kept."""
    n = kept.shape[axis]
    k = np.flatnonzero(np.moveaxis(kept, axis, 0).reshape(n, -1).any(axis=1))
    return int(np.minimum(k, n - k).max(initial=0))


def _waves(n: int, reach: int) -> _Waves:
    cosines = [(k, 0) for k in range(reach + 1)]
    sines = [(k, 1) for k in range(1, reach + 1) if 2 * k != n]
    if n % 2:
        return _Waves(n, (cosines, [], [], sines))
    return _Waves(n, (cosines[::2], cosines[1::2], sines[1::2], sines[::2]))


def _padded(size: int, tile: int) -> int:
    return -(-size // tile) * tile


def _n_points(n: int) -> int:
    return n // 2 + 1 if n % 2 else n // 4 + 1


def _shapes(waves: Sequence[_Waves], outer: int) -> list[tuple[int, int, int]]:
    """The array at each axis: the waves of the axis before come to the front."""
    shapes = []
    for axis, each in enumerate(waves):
        shapes.append((outer, each.n, prod(later.n for later in waves[axis + 1 :])))
        outer *= len(each.labels)
    return shapes


def _pays(waves: Sequence[_Waves], outer: int, dtype: np.dtype[Any]) -> bool:
    """Whether the waves are faster than the full FFT; the same answer on every machine."""
    cells, cost, largest = outer * prod(each.n for each in waves), 0, 0
    for each, (before, n, behind) in zip(waves, _shapes(waves, outer), strict=True):
        rows = sum(_padded(len(members), MODES) for members in each.classes)
        points, carried = _padded(_n_points(n), POINTS), _LAST if behind == 1 else _OTHER
        cost += before * behind * (2 * rows * points + carried * n)
        largest = max(largest, 4 * points * before * behind * dtype.itemsize)
    return cost < _FFT * cells * log2(2 * cells) and largest < _MOST_BYTES


def _axes(waves: Sequence[_Waves], outer: int, dtype: np.dtype[Any]) -> tuple[Axis, ...]:
    made = []
    for each, shape in zip(waves, _shapes(waves, outer), strict=True):
        n, x = each.n, np.arange(_n_points(each.n))
        points = np.array([x, -x, x, -x] if n % 2 else [x, -x, n // 2 - x, n // 2 + x]) % n
        share = np.array([len(set(column)) / 4 for column in points.T.tolist()])
        sizes = [len(members) for members in each.classes]
        rows = [_padded(size, MODES) for size in sizes]
        tables = np.zeros((2, sum(rows), _padded(x.size, POINTS)))
        starts = np.array([np.cumsum([0, *rows]), np.cumsum([0, *sizes])])
        for members, first in zip(each.classes, starts[0], strict=False):
            for row, (k, parity) in enumerate(members, first):
                angle = 2 * pi / n * (k * x % n)
                tables[1, row, : x.size] = portable.sin(angle) if parity else portable.cos(angle)
        tables[0, :, : x.size] = tables[1, :, : x.size] * share
        columns = shape[0] * shape[2]
        made.append(
            Axis(
                shape,
                points,
                tables.astype(dtype),
                starts,
                np.zeros((4, tables.shape[2], columns), dtype),
                np.zeros((sum(sizes) + MODES - 1, columns), dtype),
            )
        )
    return tuple(made)


def _kernel(spectrum: Complex, waves: Sequence[_Waves]) -> tuple[Real, NDArray[np.int64]]:
    """Fields `kernel` and `partners` of `Modes`.

    Along one axis, the wave of cosine C and sine S is C - i S; a product of waves is that of such numbers, with an
    imaginary unit for each axis.
    """
    kernels, partners = [], []
    for flips in product((0, 1), repeat=len(waves)):
        part, partner = spectrum, np.zeros(1, np.int64)
        for axis, (flip, each) in enumerate(zip(flips, waves, strict=True)):
            labels = each.labels
            k, parity = np.array(labels).T
            there, back = (np.take(part, numbers % each.n, axis=2 + axis) for numbers in (k, -k))
            part = 0.5j * (there - back) if flip else 0.5 * (there + back)
            factor = np.where((k == 0) | (2 * k == each.n), 1, 2) / each.n * (np.where(parity, 1, -1) if flip else 1)
            part = part * factor.reshape(-1, *[1] * (len(waves) - 1 - axis))
            sought = [(number, 1 - p) if flip else (number, p) for number, p in labels]
            other = [labels.index(label) if label in labels else i for i, label in enumerate(sought)]
            # The waves of the last axis come first.
            partner = (np.array(other)[:, np.newaxis] * partner.size + partner).ravel()
        axes = range(part.ndim - 1, 1, -1)
        kernels.append(part.real.transpose(*axes, 0, 1).reshape(partner.size, *part.shape[:2]))
        partners.append(partner)
    sizes = [np.abs(each).max() for each in kernels]
    used = [number for number, size in enumerate(sizes) if number == 0 or size > 1e-12 * max(sizes)]
    return np.array([kernels[i] for i in used]), np.array([partners[i] for i in used])
