"""What all periodic lattices have in common."""

from abc import abstractmethod
from collections.abc import Mapping
from functools import lru_cache
from math import prod
from typing import Annotated, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PositiveInt, model_validator

from nmr_platform import portable
from nmr_platform.physics.lattices.images import nearest_images
from nmr_platform.schema import Schema

__all__ = ["PeriodicLattice", "PlaneShape", "Shape"]

Array = NDArray[np.float64]
# 4096 x 4096 sites: what a large workstation still holds.
_MOST_PAIRS = 2**24
# One alone has no coupling.
_FEWEST_SPINS = 2
Shape = Annotated[tuple[PositiveInt, ...], Field(min_length=1, max_length=3, strict=False)]
PlaneShape = Annotated[tuple[PositiveInt, ...], Field(min_length=2, max_length=2, strict=False)]


class PeriodicLattice(Schema):
    """Cells of one or more sites, repeated along one to three directions, closed to a torus.

    Site (a, R) is basis site a of cell R. Lengths are in the unit that the kernel's range is given in; with
    ``spacing`` 1, where a lattice has one, that is its lattice constant.

    Attributes:
        shape: Number of cells along each primitive vector.
        abundance: Fraction of the sites that bear a spin, for instance that of an isotope; which ones is part of the
            disorder.
    """

    units: ClassVar[Mapping[str, str]] = {
        "shape": "cells along each axis",
        "spacing": "lattice constants",
        "abundance": "1",
    }

    shape: Shape
    # Plain data of a whole lattice is what it was before there were others.
    abundance: Annotated[float, Field(gt=0, le=1, exclude_if=lambda value: value == 1)] = 1.0

    @model_validator(mode="after")
    def _is_not_too_large(self) -> Self:
        n_pairs = prod(self.pair_shape)
        if n_pairs > _MOST_PAIRS:
            message = (
                f"Key `lattice.shape` must make at most {_MOST_PAIRS:,} pairs of a spin of one cell and any other, but "
                f"{' x '.join(map(str, self.shape))} makes {n_pairs:,}."
            )
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _has_spins(self) -> Self:
        if self.abundance < 1 and self.n_spins < _FEWEST_SPINS:
            message = (
                f"Key `lattice.abundance` must leave at least {_FEWEST_SPINS} spins, but {self.abundance} of "
                f"{self.size} sites is {self.n_spins}."
            )
            raise ValueError(message)
        return self

    @property
    @abstractmethod
    def vectors_in_space(self) -> Array:
        """Primitive vectors, one a row, shape (d, d), units of length."""

    @property
    def basis_in_space(self) -> Array:
        """Positions of the sites in a cell, shape (n_basis, d), units of length."""
        return np.zeros((1, len(self.shape)))

    @property
    def n_basis(self) -> int:
        """Number of sites in a cell."""
        return 1

    @property
    def site_shape(self) -> tuple[int, ...]:
        """Shape of an array with one entry a site: ``shape``, or ``(n_basis, *shape)`` with several sites a cell."""
        return self.shape if self.n_basis == 1 else (self.n_basis, *self.shape)

    @property
    def pair_shape(self) -> tuple[int, ...]:
        """Shape of an array with one entry for site (a, R) seen from site (b, 0): ``(n_basis, n_basis, *shape)``."""
        return (self.n_basis, self.n_basis, *self.shape)

    @property
    def size(self) -> int:
        """Number of sites."""
        return int(np.prod(self.site_shape))

    @property
    def n_spins(self) -> int:
        """Number of spins N: of the sites those that the abundance occupies, to the nearest whole number."""
        return round(self.abundance * self.size)

    @property
    def occupied_share(self) -> float:
        """Probability that another site bears a spin, seen from one: (N - 1) / (size - 1), nearly the abundance."""
        return (self.n_spins - 1) / (self.size - 1) if self.size > 1 else 1.0

    def occupied(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """Draw the sites that bear a spin, all choices of N of them being equally likely.

        Args:
            rng: Where the random numbers come from.

        Returns:
            Places in a flat array with one entry a site, ascending, shape (N,).

        Examples:
            >>> from nmr_platform.physics import HypercubicLattice
            >>> HypercubicLattice(shape=(4, 4), abundance=0.25).occupied(np.random.default_rng(1)).size
            4
        """
        return np.sort(rng.permutation(self.size)[: self.n_spins])

    @property
    def displacements(self) -> Array:
        """Minimum-image displacement of site (a, R) from site (b, 0), shape (d, n_basis, n_basis, *shape), length.

        Of several images at the same distance one is taken, such that inverted pairs have opposite displacements.
        """
        return nearest_images(self.vectors_in_space, self.basis_in_space, self.shape)

    @property
    def distances(self) -> Array:
        """Minimum-image distance of site (a, R) from site (b, 0), shape (n_basis, n_basis, *shape), length.

        Read-only: equal lattices share it.
        """
        return _distances(self._whole)

    @property
    def angles(self) -> Array:
        """Angle of every displacement in the x-y plane, from the x axis, radians, shape (n_basis, n_basis, *shape).

        Read-only: equal lattices share it.
        """
        return _angles(self._whole)

    @property
    def parity(self) -> NDArray[np.int64]:
        """0 where site (a, R) has the sublattice of site (b, 0), 1 where it has the other, shape ``pair_shape``.

        With one site a cell, cells alternate along every primitive vector, which takes even lengths; with several,
        the sites of a cell alternate in the order of the basis, in every cell alike.
        """
        if self.n_basis > 1:
            a, b = np.indices((self.n_basis, self.n_basis))
            same_in_all_cells = ((a + b) % 2).reshape(self.n_basis, self.n_basis, *[1] * len(self.shape))
            return np.broadcast_to(same_in_all_cells, self.pair_shape)
        return (np.indices(self.shape).sum(axis=0) % 2).reshape(self.pair_shape)

    @property
    def is_bipartite(self) -> bool:
        """Whether the signs of `parity` close on themselves around the torus."""
        return self.n_basis > 1 or all(length == 1 or length % 2 == 0 for length in self.shape)

    @property
    def _whole(self) -> Self:
        """The lattice with a spin on every site, which has the same distances."""
        return self if self.abundance == 1 else self.replace(abundance=1.0)


# Every curve of a data set has the same lattice, but not the same object.
@lru_cache(maxsize=4)
def _distances(lattice: PeriodicLattice) -> Array:
    return _shared(np.sqrt((lattice.displacements**2).sum(axis=0)))


@lru_cache(maxsize=4)
def _angles(lattice: PeriodicLattice) -> Array:
    displacements = lattice.displacements
    if len(displacements) == 1:
        return _shared(np.where(displacements[0] < 0, np.pi, 0.0))
    return _shared(portable.arctan2(displacements[1], displacements[0]))


def _shared(values: Array) -> Array:
    values.setflags(write=False)
    return values
