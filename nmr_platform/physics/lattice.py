"""The periodic lattice that the nuclear spins sit on."""

from functools import cached_property
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PositiveInt

from nmr_platform.schema import Schema

__all__ = ["Lattice"]


class Lattice(Schema):
    """A periodic square (2D) or cubic (3D) lattice, or a chain (1D), with lattice constant 1.

    Attributes:
        shape: Number of sites along each axis, one to three of them, the first along x.
    """

    shape: Annotated[tuple[PositiveInt, ...], Field(min_length=1, max_length=3, strict=False)]

    @property
    def size(self) -> int:
        """Number of sites N."""
        return int(np.prod(self.shape))

    @cached_property
    def displacements(self) -> NDArray[np.float64]:
        """Minimum-image displacement of every site from the site at the origin, in lattice constants.

        Shape (d, *shape). Along an axis of even length L the site half way round is taken at -L/2.
        """
        axes = [(np.arange(length) + length // 2) % length - length // 2 for length in self.shape]
        return np.array(np.meshgrid(*axes, indexing="ij"), dtype=np.float64)

    @cached_property
    def distances(self) -> NDArray[np.float64]:
        """Minimum-image distance of every site from the origin, in lattice constants, shape ``shape``."""
        return np.sqrt((self.displacements**2).sum(axis=0))

    @cached_property
    def angles(self) -> NDArray[np.float64]:
        """Angle of every displacement in the x-y plane, from the x axis, in radians, shape ``shape``."""
        if len(self.shape) == 1:
            return np.where(self.displacements[0] < 0, np.pi, 0.0)
        return np.arctan2(self.displacements[1], self.displacements[0])
