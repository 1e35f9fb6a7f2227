"""What all coupling kernels have in common: angular factor, antiferromagnetic sign, K(0) = 0."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from nmr_platform import portable
from nmr_platform.errors import ConfigurationError
from nmr_platform.physics.lattices import PeriodicLattice
from nmr_platform.schema import Schema

__all__ = ["CouplingKernel", "RadialKernel"]

Array = NDArray[np.float64]


class CouplingKernel(Schema):
    """An isotropic part times the angular factor s + p cos(theta) + d cos(2 theta).

    Attributes:
        s: Weight of the isotropic part.
        p: Weight of cos(theta), theta the angle of r from the x axis in the x-y plane.
        d: Weight of cos(2 theta).
        antiferromagnetic: Multiply by -1 where the lattice's `parity` is odd.
    """

    units: ClassVar[Mapping[str, str]] = {"s": "1", "p": "1", "d": "1"}

    s: float = 1.0
    p: float = 0.0
    d: float = 0.0
    antiferromagnetic: bool = False

    @abstractmethod
    def isotropic(self, lattice: PeriodicLattice) -> Array:
        """The kernel without angular factor and sign, shape ``lattice.pair_shape``, dimensionless; K(a, a, 0) = 0."""

    def misfit(self, lattice: PeriodicLattice) -> str | None:
        """Why the kernel cannot live on ``lattice``, as a sentence for the user; None if it can."""
        if self.antiferromagnetic and not lattice.is_bipartite:
            return (
                "Key `lattice.shape` must have even lengths for an antiferromagnetic kernel, whose sign could not "
                f"alternate all the way round otherwise, but is {list(lattice.shape)}."
            )
        return None

    def on(self, lattice: PeriodicLattice) -> Array:
        """K of site (a, R) with respect to site (b, 0), shape (n_basis, n_basis, *shape), dimensionless.

        The field of the spins m is F(a, R) = sum over b and R' of K(a, b, R - R') m(b, R'). A spin does not couple to
        itself: K(a, a, 0) = 0.

        Raises:
            ConfigurationError: The kernel does not fit the lattice, or is too large for a number on it.
        """
        if misfit := self.misfit(lattice):
            raise ConfigurationError(misfit, key="kernel", value=self)
        # What overflows is refused below, and an exponential that underflows is 0.
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            values = self.isotropic(lattice) * self._angular(lattice)
        if self.antiferromagnetic:
            values *= 1.0 - 2.0 * lattice.parity
        wrong = ~np.isfinite(values)
        if wrong.any():
            message = (
                f"Key `kernel` must be finite at all distances of the lattice, but is {values[wrong][0]} at distance "
                f"{lattice.distances[wrong][0]:.4g}."
            )
            raise ConfigurationError(message, key="kernel", value=values[wrong][0])
        return values

    def _angular(self, lattice: PeriodicLattice) -> Array | float:
        if self.p == 0 and self.d == 0:
            return self.s
        theta = lattice.angles
        return self.s + self.p * portable.cos(theta) + self.d * portable.cos(2 * theta)


class RadialKernel(CouplingKernel):
    """A kernel whose isotropic part is a function of the distance."""

    units: ClassVar[Mapping[str, str]] = {"xi": "lattice constants", "exponent": "1"}

    @abstractmethod
    def radial(self, r: Array) -> Array:
        """Isotropic part at distances r > 0 (units of length of the lattice), same shape, dimensionless."""

    def isotropic(self, lattice: PeriodicLattice) -> Array:
        """See `CouplingKernel`."""
        distances = lattice.distances
        away = distances > 0
        values = np.zeros(distances.shape)
        values[away] = self.radial(distances[away])
        return values
