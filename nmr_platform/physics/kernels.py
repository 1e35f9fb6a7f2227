"""Shapes of the electron-mediated coupling K(r) between two nuclei."""

from abc import abstractmethod
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PositiveFloat

from nmr_platform.physics.lattice import Lattice
from nmr_platform.schema import Schema

__all__ = ["GaussianKernel", "Kernel", "PowerKernel", "RkkyKernel", "UniformKernel"]

Array = NDArray[np.float64]


class _RadialKernel(Schema):
    """A radial function times the angular factor s + p cos(theta) + d cos(2 theta).

    Attributes:
        s: Weight of the isotropic part.
        p: Weight of cos(theta), theta the angle of r from the x axis.
        d: Weight of cos(2 theta).
        antiferromagnetic: Multiply by (-1)^(i+j+...), the parity of the displacement.
    """

    s: float = 1.0
    p: float = 0.0
    d: float = 0.0
    antiferromagnetic: bool = False

    @abstractmethod
    def radial(self, r: Array) -> Array:
        """Radial part at distances r > 0 (lattice constants), same shape, dimensionless."""

    def on(self, lattice: Lattice) -> Array:
        """K of every site with respect to the origin, shape ``lattice.shape``, dimensionless; K(0) = 0."""
        away = lattice.distances > 0
        values = np.zeros(lattice.shape)
        values[away] = self.radial(lattice.distances[away]) * self._angular(lattice.angles[away])
        if self.antiferromagnetic:
            values *= 1.0 - 2.0 * (lattice.displacements.sum(axis=0) % 2)
        return values

    def _angular(self, theta: Array) -> Array:
        return self.s + self.p * np.cos(theta) + self.d * np.cos(2 * theta)


class GaussianKernel(_RadialKernel):
    """K(r) = exp(-(r / xi)^exponent).

    Attributes:
        xi: Range, lattice constants.
        exponent: 2 for a Gaussian.
    """

    kind: Literal["gaussian"] = "gaussian"
    xi: PositiveFloat
    exponent: PositiveFloat = 2.0

    def radial(self, r: Array) -> Array:
        """See the class."""
        return np.exp(-((r / self.xi) ** self.exponent))


class PowerKernel(_RadialKernel):
    """K(r) = r^(-exponent).

    Attributes:
        exponent: Usually between 1 and 4.
    """

    kind: Literal["power"] = "power"
    exponent: PositiveFloat

    def radial(self, r: Array) -> Array:
        """See the class."""
        return r**-self.exponent


class RkkyKernel(_RadialKernel):
    """K(r) = x^-4 (x cos x - sin x) with x = 2 r / xi: the three-dimensional RKKY oscillation.

    Close to the origin K is about -1/(3x): negative, so a positive coupling has a negative kernel integral.

    Attributes:
        xi: Inverse Fermi wave vector, lattice constants.
    """

    kind: Literal["rkky"] = "rkky"
    xi: PositiveFloat

    def radial(self, r: Array) -> Array:
        """See the class."""
        x = 2 * r / self.xi
        # Below x = 0.1 the difference loses digits; its series is exact to double precision there.
        small = np.minimum(x, 0.1)
        series = (-1 / 3 + small**2 * (1 / 30 + small**2 * (-1 / 840 + small**2 * (1 / 45360)))) / small
        return np.where(x < 0.1, series, (x * np.cos(x) - np.sin(x)) / x**4)


class UniformKernel(_RadialKernel):
    """K(r) = 1: every spin couples to every other with the same strength."""

    kind: Literal["uniform"] = "uniform"

    def radial(self, r: Array) -> Array:
        """See the class."""
        return np.ones_like(r)


Kernel = Annotated[GaussianKernel | PowerKernel | RkkyKernel | UniformKernel, Field(discriminator="kind")]
