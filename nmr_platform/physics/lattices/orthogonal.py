"""Lattices whose primitive vectors are the axes of space: chain, square, cubic and rectangular."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PositiveFloat, model_validator

from nmr_platform.physics.lattices.base import PeriodicLattice

__all__ = ["HypercubicLattice", "RectangularLattice"]

Array = NDArray[np.float64]
_NAMES = {1: "chain", 2: "square", 3: "cubic"}


class _OrthogonalLattice(PeriodicLattice):
    """Axes at right angles: the nearest image is found one axis at a time."""

    @property
    @abstractmethod
    def spacings(self) -> tuple[float, ...]:
        """Distance of neighbours along each axis, length."""

    @property
    def vectors_in_space(self) -> Array:
        """See `PeriodicLattice`."""
        return np.diag(self.spacings)

    @property
    def displacements(self) -> Array:
        """See `PeriodicLattice`; along an axis of even length L the site half way round is taken at -L/2."""
        axes = [
            spacing * ((np.arange(length) + length // 2) % length - length // 2)
            for length, spacing in zip(self.shape, self.spacings, strict=True)
        ]
        return np.array(np.meshgrid(*axes, indexing="ij"), dtype=np.float64)[:, None, None]


class HypercubicLattice(_OrthogonalLattice):
    """A chain (1D), a square lattice (2D) or a simple cubic lattice (3D).

    Attributes:
        kind: ``chain``, ``square`` or ``cubic``; may be left out, for it follows from ``shape``.
        shape: Number of sites along each axis, one to three of them, the first along x.
        spacing: Distance of nearest neighbours, length.
    """

    kind: Literal["chain", "square", "cubic"] = "square"
    spacing: PositiveFloat = 1.0

    @model_validator(mode="before")
    @classmethod
    def _names_itself(cls, values: Any) -> Any:
        shape = values.get("shape") if isinstance(values, Mapping) else None
        if isinstance(shape, list | tuple) and "kind" not in values and len(shape) in _NAMES:
            return {**values, "kind": _NAMES[len(shape)]}
        return values

    @model_validator(mode="after")
    def _kind_fits_the_shape(self) -> Self:
        if _NAMES[len(self.shape)] != self.kind:
            message = (
                f"Key `lattice.kind` must be '{_NAMES[len(self.shape)]}' for a shape of {len(self.shape)} "
                f"{'entry' if len(self.shape) == 1 else 'entries'}, but is '{self.kind}'."
            )
            raise ValueError(message)
        return self

    @property
    def spacings(self) -> tuple[float, ...]:
        """Distance of neighbours along each axis, length."""
        return (self.spacing,) * len(self.shape)


class RectangularLattice(_OrthogonalLattice):
    """A rectangular (2D) or orthorhombic (3D) lattice: a spacing of its own along every axis.

    Attributes:
        shape: Number of sites along each axis, one to three of them, the first along x.
        spacing: Distance of neighbours along each axis, length.
    """

    kind: Literal["rectangular"] = "rectangular"
    spacing: Annotated[tuple[PositiveFloat, ...], Field(min_length=1, max_length=3, strict=False)]

    @model_validator(mode="after")
    def _one_spacing_an_axis(self) -> Self:
        if len(self.spacing) != len(self.shape):
            message = (
                f"Key `lattice.spacing` must have one entry for each of the {len(self.shape)} axes of `lattice.shape`, "
                f"but has {len(self.spacing)}."
            )
            raise ValueError(message)
        return self

    @property
    def spacings(self) -> tuple[float, ...]:
        """Distance of neighbours along each axis, length."""
        return self.spacing
