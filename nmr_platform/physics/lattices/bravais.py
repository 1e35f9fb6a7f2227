"""Any lattice, by its primitive vectors and the positions of the sites in a cell."""

from collections.abc import Mapping
from itertools import combinations
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PositiveFloat, model_validator

from nmr_platform import portable
from nmr_platform.physics.lattices.base import PeriodicLattice

__all__ = ["BravaisLattice"]

Array = NDArray[np.float64]
Point = Annotated[tuple[float, ...], Field(strict=False)]
# Volume of the cell over the product of the lengths of its vectors: 1 at right angles, 0 if they are dependent.
_FLATTEST_CELL = 1e-3
# Sites closer than this, as a fraction of the cell's vectors, are taken for the same.
_OVERLAP = 1e-6


class BravaisLattice(PeriodicLattice):
    """Any periodic lattice of one to three dimensions.

    Attributes:
        shape: Number of cells along each primitive vector.
        vectors: The primitive vectors, as many as ``shape`` has entries, each with as many components (x first).
        basis: Positions of the sites in a cell, in fractions of the primitive vectors.
        spacing: Factor on the primitive vectors, length.
    """

    units: ClassVar[Mapping[str, str]] = {"vectors": "lattice constants", "basis": "1"}

    kind: Literal["bravais"] = "bravais"
    vectors: Annotated[tuple[Point, ...], Field(min_length=1, max_length=3, strict=False)]
    basis: Annotated[tuple[Point, ...], Field(min_length=1, strict=False)] | None = None
    spacing: PositiveFloat = 1.0

    @model_validator(mode="after")
    def _vectors_span_the_space(self) -> Self:
        d = len(self.shape)
        if len(self.vectors) != d or any(len(vector) != d for vector in self.vectors):
            message = (
                f"Key `lattice.vectors` must hold {d} vectors of {d} components, for `lattice.shape` has {d} entries, "
                f"but holds {_as_lists(self.vectors)}."
            )
            raise ValueError(message)
        vectors = np.array(self.vectors)
        lengths = np.linalg.norm(vectors, axis=1)
        if not lengths.all() or abs(np.linalg.det(vectors / lengths[:, None])) < _FLATTEST_CELL:
            message = (
                "Key `lattice.vectors` must be linearly independent and not nearly so, but is "
                f"{_as_lists(self.vectors)}."
            )
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _sites_lie_apart(self) -> Self:
        d = len(self.shape)
        if any(len(position) != d for position in self.basis or ()):
            message = (
                f"Key `lattice.basis` must hold positions of {d} fractional coordinates, but holds "
                f"{_as_lists(self.basis or ())}."
            )
            raise ValueError(message)
        for (a, first), (b, second) in combinations(enumerate(self.basis or ()), 2):
            apart = np.subtract(first, second)
            if np.abs(apart - np.rint(apart)).max() < _OVERLAP:
                message = (
                    f"Key `lattice.basis` must hold positions that differ by more than whole primitive vectors, "
                    f"but numbers {a} and {b} are {list(first)} and {list(second)}."
                )
                raise ValueError(message)
        return self

    @property
    def vectors_in_space(self) -> Array:
        """See `PeriodicLattice`."""
        return self.spacing * np.array(self.vectors)

    @property
    def basis_in_space(self) -> Array:
        """See `PeriodicLattice`."""
        return portable.product(self.basis or [[0.0] * len(self.shape)], self.vectors_in_space)

    @property
    def n_basis(self) -> int:
        """See `PeriodicLattice`."""
        return len(self.basis or (0,))


def _as_lists(points: tuple[Point, ...]) -> list[list[float]]:
    return [list(point) for point in points]
