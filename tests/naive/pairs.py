"""K of every pair of sites from their positions in space, in the most literal way."""

from itertools import product

import numpy as np

__all__ = ["pair_matrix"]


def pair_matrix(experiment):
    """K(r_i - r_j), shape (N, N); sites are counted basis site by basis site, and cells in row-major order."""
    lattice, kernel = experiment.lattice, experiment.kernel
    vectors, basis = unit_cell(lattice)
    sites = [(a, cell) for a in range(len(basis)) for cell in np.ndindex(*lattice.shape)]
    pairs = np.zeros((len(sites), len(sites)))
    for (i, (a, here)), (j, (b, there)) in product(enumerate(sites), repeat=2):
        if i != j:
            cells = np.subtract(here, there)
            apart = cells @ vectors + basis[a] - basis[b]
            table = tabulated(kernel, lattice, a, b, cells) if kernel.kind == "table" else None
            values = [table_or_formula(kernel, d, table) for d in nearest(lattice, vectors, apart)]
            assert max(values) - min(values) < 1e-12, "images at the same distance couple differently"
            pairs[i, j] = values[0] * sign(kernel, a, b, cells, len(basis))
    return pairs


def unit_cell(lattice):
    """Primitive vectors and positions of the basis, one a row."""
    d, origin = len(lattice.shape), np.zeros((1, len(lattice.shape)))
    if lattice.kind in {"chain", "square", "cubic"}:
        return lattice.spacing * np.eye(d), origin
    if lattice.kind == "rectangular":
        return np.diag(lattice.spacing), origin
    if lattice.kind == "triangular":
        return lattice.spacing * np.array([[1, 0], [1 / 2, np.sqrt(3) / 2]]), origin
    if lattice.kind == "honeycomb":
        a = lattice.spacing
        return a * np.array([[np.sqrt(3), 0], [np.sqrt(3) / 2, 3 / 2]]), a * np.array([[0, 0], [np.sqrt(3) / 2, 1 / 2]])
    vectors = lattice.spacing * np.array(lattice.vectors)
    return vectors, np.array(lattice.basis or origin) @ vectors


def nearest(lattice, vectors, apart):
    """The shortest of all periodic images of a displacement; several if they are equally short."""
    torus = np.array(lattice.shape)[:, None] * vectors
    images = apart + np.array(list(product(range(-2, 3), repeat=len(torus)))) @ torus
    lengths = np.linalg.norm(images, axis=1)
    shortest = images[lengths < lengths.min() * (1 + 1e-9)]
    if lattice.kind in {"chain", "square", "cubic", "rectangular"}:
        # The site half way round an axis lies at minus half the length.
        return [min(shortest, key=tuple)]
    return shortest


def table_or_formula(kernel, apart, table):
    """K at one displacement, without its sign."""
    r = np.sqrt(apart @ apart)
    x, y = apart[0], apart[1] if len(apart) > 1 else 0.0
    cos_theta = x / np.hypot(x, y) if np.hypot(x, y) > 1e-12 else 1.0
    isotropic = radial(kernel, r) if table is None else table
    return isotropic * (kernel.s + kernel.p * cos_theta + kernel.d * (2 * cos_theta**2 - 1))


def radial(kernel, r):
    """The isotropic part of K at distance ``r``."""
    if kernel.kind == "gaussian":
        return np.exp(-((r / kernel.xi) ** kernel.exponent))
    if kernel.kind == "exponential":
        return np.exp(-r / kernel.xi)
    if kernel.kind == "power":
        return 1 / r**kernel.exponent
    if kernel.kind == "rkky":
        x = 2 * r / kernel.xi
        return (x * np.cos(x) - np.sin(x)) / x**4
    assert kernel.kind == "uniform"
    return 1.0


def tabulated(kernel, lattice, a, b, cells):
    """The entry of a table, or the sum over its wave vectors."""
    table = np.array(kernel.values if kernel.values is not None else kernel.spectrum)
    table = table.reshape(-1, *lattice.shape)[a * round(np.sqrt(table.size / np.prod(lattice.shape))) + b]
    if kernel.values is not None:
        return table[tuple(cells % lattice.shape)]
    waves = [np.multiply(k, cells) / lattice.shape for k in np.ndindex(*lattice.shape)]
    return np.mean(table.ravel() * np.exp([2j * np.pi * wave.sum() for wave in waves])).real


def sign(kernel, a, b, cells, n_basis):
    """-1 on the other sublattice of an antiferromagnetic kernel."""
    if not kernel.antiferromagnetic:
        return 1.0
    return (-1.0) ** (a + b if n_basis > 1 else cells.sum())
