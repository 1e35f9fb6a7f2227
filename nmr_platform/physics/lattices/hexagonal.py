"""Plane lattices with primitive vectors at 60 degrees: triangular and honeycomb."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveFloat

from nmr_platform.physics.lattices.base import PeriodicLattice, PlaneShape

__all__ = ["HoneycombLattice", "TriangularLattice"]

Array = NDArray[np.float64]
_AT_60_DEGREES = np.array([[1.0, 0.0], [0.5, np.sqrt(3) / 2]])


class TriangularLattice(PeriodicLattice):
    """A triangular lattice: six nearest neighbours, primitive vectors a (1, 0) and a (1/2, sqrt(3)/2).

    Its parity, with which `antiferromagnetic` alternates, is that of stripes: two of the three directions alternate.

    Attributes:
        shape: Number of sites along each primitive vector.
        spacing: Distance a of nearest neighbours, length.
    """

    kind: Literal["triangular"] = "triangular"
    shape: PlaneShape
    spacing: PositiveFloat = 1.0

    @property
    def vectors_in_space(self) -> Array:
        """See `PeriodicLattice`."""
        return self.spacing * _AT_60_DEGREES


class HoneycombLattice(PeriodicLattice):
    """A honeycomb lattice: two sites a cell, three nearest neighbours, all on the other sublattice.

    The primitive vectors are sqrt(3) a (1, 0) and sqrt(3) a (1/2, sqrt(3)/2); the second site of a cell is at a third
    of each.

    Attributes:
        shape: Number of cells along each primitive vector.
        spacing: Distance a of nearest neighbours, length.
    """

    kind: Literal["honeycomb"] = "honeycomb"
    shape: PlaneShape
    spacing: PositiveFloat = 1.0

    @property
    def vectors_in_space(self) -> Array:
        """See `PeriodicLattice`."""
        return np.sqrt(3) * self.spacing * _AT_60_DEGREES

    @property
    def basis_in_space(self) -> Array:
        """See `PeriodicLattice`."""
        return np.array([[0.0, 0.0], self.vectors_in_space.sum(axis=0) / 3])

    @property
    def n_basis(self) -> int:
        """See `PeriodicLattice`."""
        return 2
