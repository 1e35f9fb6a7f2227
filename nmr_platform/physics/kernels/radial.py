"""Kernels that are a formula in the distance."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveFloat

from nmr_platform import portable
from nmr_platform.physics.kernels.base import RadialKernel

__all__ = ["ExponentialKernel", "GaussianKernel", "PowerKernel", "RkkyKernel", "UniformKernel"]

Array = NDArray[np.float64]


class GaussianKernel(RadialKernel):
    """K(r) = exp(-(r / xi)^exponent).

    Attributes:
        xi: Range, length.
        exponent: 2 for a Gaussian.
    """

    kind: Literal["gaussian"] = "gaussian"
    xi: PositiveFloat
    exponent: PositiveFloat = 2.0

    def radial(self, r: Array) -> Array:
        """See the class."""
        return portable.exp(-portable.power(r / self.xi, self.exponent))


class ExponentialKernel(RadialKernel):
    """K(r) = exp(-r / xi).

    Attributes:
        xi: Range, length.
    """

    kind: Literal["exponential"] = "exponential"
    xi: PositiveFloat

    def radial(self, r: Array) -> Array:
        """See the class."""
        return portable.exp(-r / self.xi)


class PowerKernel(RadialKernel):
    """K(r) = r^(-exponent).

    Attributes:
        exponent: Usually between 1 and 4.
    """

    kind: Literal["power"] = "power"
    exponent: PositiveFloat

    def radial(self, r: Array) -> Array:
        """See the class."""
        return portable.power(r, -self.exponent)


class RkkyKernel(RadialKernel):
    """K(r) = x^-4 (x cos x - sin x) with x = 2 r / xi: the three-dimensional RKKY oscillation.

    Close to the origin K is about -1/(3x): negative, so a positive coupling has a negative kernel integral.

    Attributes:
        xi: Inverse Fermi wave vector, length.
    """

    kind: Literal["rkky"] = "rkky"
    xi: PositiveFloat

    def radial(self, r: Array) -> Array:
        """See the class."""
        x = 2 * r / self.xi
        # Below x = 0.1 the difference loses digits; its series is exact to double precision there.
        small = np.minimum(x, 0.1)
        series = (-1 / 3 + small**2 * (1 / 30 + small**2 * (-1 / 840 + small**2 * (1 / 45360)))) / small
        return np.where(x < 0.1, series, (x * portable.cos(x) - portable.sin(x)) / (x * x) ** 2)


class UniformKernel(RadialKernel):
    """K(r) = 1: every spin couples to every other with the same strength."""

    kind: Literal["uniform"] = "uniform"

    def radial(self, r: Array) -> Array:
        """See the class."""
        return np.ones_like(r)
