"""The nearest periodic image of every site, for cells of any angle."""

from collections.abc import Iterator
from itertools import product as cartesian

import numpy as np
from numpy.typing import NDArray

from nmr_platform.portable import product

__all__ = ["nearest_images", "reduced_basis"]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

# Two images whose squared distances differ by less than this fraction are equally far: rounding alone tells them apart.
_TIE = 1e-9
# So many cells at a time stay in cache, and need little memory beside the result.
_BLOCK = 2**14


def nearest_images(vectors: Array, basis: Array, shape: tuple[int, ...]) -> Array:
    """Minimum-image displacement of site (a, R) from site (b, 0).

    Args:
        vectors: Primitive vectors, one a row, shape (d, d), in any unit.
        basis: Positions of the sites in a cell, shape (n_basis, d), the unit of ``vectors``.
        shape: Number of cells along each vector, after which the lattice repeats.

    Returns:
        Shape (d, n_basis, n_basis, *shape), in the unit of ``vectors``. Of several images at the same distance one is
        taken such that the displacements of (a, R) from (b, 0) and of (b, -R) from (a, 0) are opposite, unless they are
        the same pair.
    """
    n_basis, lengths = len(basis), np.array(shape)
    cells = np.indices(shape).reshape(len(shape), -1)
    # Rows: the shortest translations after which the lattice repeats, in cells.
    period = reduced_basis(lengths[:, None] * vectors) * lengths
    out = np.empty((len(shape), n_basis, n_basis, *shape))
    axes = tuple(range(1, 1 + len(shape)))
    for a in range(n_basis):
        for b in range(a, n_basis):
            nearest = np.empty(cells.shape)
            for first in range(0, cells.shape[1], _BLOCK):
                block = slice(first, first + _BLOCK)
                nearest[:, block] = _nearest(vectors, basis[a] - basis[b], cells[:, block], period)
            out[:, a, b] = nearest.reshape(-1, *shape)
            if b > a:
                out[:, b, a] = -np.roll(np.flip(out[:, a, b], axes), 1, axes)
    return out


def reduced_basis(vectors: Array) -> Integers:
    """Integer combinations of ``vectors`` (rows) that make a Minkowski-reduced basis of the same lattice, shape (d, d).

    Up to three dimensions a basis is Minkowski-reduced if no vector becomes shorter when the others are added or
    subtracted at most once each (Nguyen and Stehle, ACM Trans. Algorithms 5, 46, 2009).
    """
    combinations = np.eye(len(vectors), dtype=np.int64)
    changed = len(vectors) > 1
    while changed:
        changed = False
        for i in range(len(vectors)):
            others = np.delete(combinations, i, axis=0)
            # Far jumps first: without the multiple of the others that lies closest.
            spanned, vector = product(others, vectors), product(combinations[i : i + 1], vectors)
            closest = np.rint(product(product(vector, spanned.T), _inverse(product(spanned, spanned.T))))
            candidates = combinations[i] - (closest.astype(np.int64) + list(_steps(len(others)))) @ others
            lengths = (product(candidates, vectors) ** 2).sum(axis=1)
            if lengths.min() < (1 - _TIE) * (vector**2).sum():
                combinations[i] = candidates[lengths.argmin()]
                changed = True
    return combinations


def _steps(dimensions: int) -> Iterator[tuple[int, ...]]:
    return cartesian((-1, 0, 1), repeat=dimensions)


def _inverse(matrix: Array) -> Array:
    """The inverse of a matrix of at most three rows, by its cofactors."""
    d = len(matrix)
    padded = np.eye(3)
    padded[:d, :d] = matrix
    cofactors = np.cross(padded[[1, 2, 0]], padded[[2, 0, 1]])
    return np.asarray((cofactors.T / (padded[0] * cofactors[0]).sum())[:d, :d])


def _nearest(vectors: Array, shift: Array, cells: Integers, period: Integers) -> Array:
    """Shortest of ``cells @ vectors + shift`` plus any periods, for each column of ``cells``, shape (d, N).

    In a reduced basis the closest lattice point is at most one step away from the one that rounding finds, because no
    point of the Voronoi cell has a coordinate above 1 then (Nguyen and Stehle, as above).
    """
    rounded = np.rint(product(_inverse(product(period, vectors).T), product(vectors.T, cells) + shift[:, None]))
    start = cells - period.T @ rounded.astype(np.int64)
    reach = np.abs(start).max() + np.abs(period).sum()
    weights = (2 * reach + 1) ** np.arange(len(period))[::-1]
    best, best_length, best_rank = start, np.full(start.shape[1], np.inf), np.zeros(start.shape[1], np.int64)
    for step in _steps(len(period)):
        image = start + (np.array(step) @ period)[:, None]
        length = ((product(vectors.T, image) + shift[:, None]) ** 2).sum(axis=0)
        # An order of the images that does not change under inversion, except between an image and its own mirror.
        number = weights @ image
        rank = 2 * np.abs(number) + (number > 0)
        closer = length < (1 - _TIE) * best_length
        closer |= (length < (1 + _TIE) * best_length) & (rank < best_rank)
        best = np.where(closer, image, best)
        best_length, best_rank = np.where(closer, length, best_length), np.where(closer, rank, best_rank)
    return product(vectors.T, best) + shift[:, None]
