"""Periodic lattices that the nuclear spins sit on."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, ValidatorFunctionWrapHandler, WrapValidator

from nmr_platform.physics.lattices.base import PeriodicLattice
from nmr_platform.physics.lattices.bravais import BravaisLattice
from nmr_platform.physics.lattices.hexagonal import HoneycombLattice, TriangularLattice
from nmr_platform.physics.lattices.orthogonal import HypercubicLattice, RectangularLattice

__all__ = [
    "BravaisLattice",
    "HoneycombLattice",
    "HypercubicLattice",
    "Lattice",
    "PeriodicLattice",
    "RectangularLattice",
    "TriangularLattice",
]


def _hypercubic_by_default(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    if isinstance(value, Mapping) and "kind" not in value:
        return HypercubicLattice.model_validate(value)
    return handler(value)


Lattice = Annotated[
    Annotated[
        HypercubicLattice | RectangularLattice | TriangularLattice | HoneycombLattice | BravaisLattice,
        Field(discriminator="kind"),
    ],
    WrapValidator(_hypercubic_by_default),
]
