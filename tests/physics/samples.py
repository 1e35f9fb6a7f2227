"""One small lattice of every kind, and settings read as the schemas read them."""

from itertools import product

import numpy as np
from pydantic import TypeAdapter

from nmr_platform.physics import Kernel, Lattice, Line

__all__ = ["LATTICES", "brute_force_displacements", "kernel", "kernel_sum", "lattice", "line", "positions"]

_lattices, _kernels, _lines = TypeAdapter(Lattice), TypeAdapter(Kernel), TypeAdapter(Line)

# Even and odd lengths, several sites a cell, cells flat enough for the nearest image to be far from the nearest cell.
LATTICES = {
    "chain": {"shape": [7]},
    "square": {"shape": [4, 5]},
    "cubic": {"shape": [3, 2, 4], "spacing": 0.7},
    "rectangular": {"kind": "rectangular", "shape": [4, 3], "spacing": [1.0, 1.7]},
    "orthorhombic": {"kind": "rectangular", "shape": [2, 4, 3], "spacing": [1.0, 0.8, 1.3]},
    "triangular": {"kind": "triangular", "shape": [6, 4]},
    "honeycomb": {"kind": "honeycomb", "shape": [3, 4], "spacing": 1.2},
    "dimerised chain": {"kind": "bravais", "shape": [6], "vectors": [[2.0]], "basis": [[0.0], [0.4]]},
    "oblique": {"kind": "bravais", "shape": [5, 4], "vectors": [[1.0, 0.0], [2.3, 0.6]], "spacing": 1.5},
    "kagome": {
        "kind": "bravais",
        "shape": [4, 2],
        "vectors": [[1.0, 0.0], [0.5, np.sqrt(0.75)]],
        "basis": [[0.0, 0.0], [0.5, 0.0], [0.0, 0.5]],
    },
    "fcc": {"kind": "bravais", "shape": [2, 4, 3], "vectors": [[0.0, 1.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 0.0]]},
    "triclinic": {
        "kind": "bravais",
        "shape": [3, 2, 2],
        "vectors": [[1.0, 0.1, -0.2], [1.4, 0.9, 0.3], [-0.8, 0.5, 0.7]],
        "basis": [[0.1, 0.0, 0.2], [0.6, 0.3, 0.9]],
    },
}


def lattice(values, **changes):
    """A lattice from its settings, or by its name in ``LATTICES``."""
    return _lattices.validate_python((LATTICES[values] if isinstance(values, str) else values) | changes)


def kernel(values, **changes):
    """A kernel from its settings."""
    return _kernels.validate_python(values | changes)


def kernel_sum(k, grid):
    """Sum of K over all other sites, for a mean site."""
    return k.on(grid).sum() / grid.n_basis


def line(values, **changes):
    """A line from its settings."""
    return _lines.validate_python(values | changes)


def positions(grid):
    """Place of every site, written down from the settings, as {(basis site, *cell): position}."""
    d = len(grid.shape)
    if grid.kind == "bravais":
        vectors, basis = grid.spacing * np.array(grid.vectors), grid.basis or [[0.0] * d]
    elif grid.kind == "honeycomb":
        # One bond is vertical from the second site, by which the cells are sqrt(3) apart.
        vectors, basis = grid.spacing * np.array([[np.sqrt(3), 0], [np.sqrt(3) / 2, 1.5]]), [[0, 0], [1 / 3, 1 / 3]]
    elif grid.kind == "triangular":
        vectors, basis = grid.spacing * np.array([[1, 0], [0.5, np.sqrt(3) / 2]]), [[0, 0]]
    else:
        vectors, basis = np.diag(np.broadcast_to(grid.spacing, d)), [[0] * d]
    return {
        (a, *cell): sum((cell[i] + basis[a][i]) * vectors[i] for i in range(d))
        for a in range(len(basis))
        for cell in np.ndindex(*grid.shape)
    }, vectors


def brute_force_displacements(grid, reach=6):
    """All shortest displacements of every site from every site of the first cell, as {(a, b, *cell): rows}."""
    places, vectors = positions(grid)
    periods = np.array(grid.shape)[:, None] * vectors
    images = np.array(list(product(range(-reach, reach + 1), repeat=len(periods)))) @ periods
    origin = (0,) * len(periods)
    nearest = {}
    for a, *cell in places:
        for b in range(grid.n_basis):
            candidates = places[a, *cell] - places[b, *origin] + images
            lengths = np.linalg.norm(candidates, axis=1)
            nearest[a, b, *cell] = candidates[lengths < lengths.min() + 1e-9]
    return nearest
