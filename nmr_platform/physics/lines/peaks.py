"""Lines with one peak in the middle of their band."""

from collections.abc import Mapping
from math import atan, log, sqrt
from typing import ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveFloat, model_validator
from scipy.special import erf, erfinv

from nmr_platform import portable
from nmr_platform.physics.lines.base import LineShape

__all__ = ["GaussianLine", "LorentzianLine"]

Array = NDArray[np.float64]


class _Peak(LineShape):
    """A symmetric line about offset 0, truncated to a band.

    Attributes:
        fwhm: Full width at half maximum, MHz.
        bandwidth: Full width of the band that the offsets are confined to, MHz.
    """

    units: ClassVar[Mapping[str, str]] = {"fwhm": "MHz", "bandwidth": "MHz"}

    fwhm: PositiveFloat
    bandwidth: PositiveFloat

    @model_validator(mode="after")
    def _band_holds_the_line(self) -> Self:
        if self.bandwidth < self.fwhm:
            message = (
                f"Key `line.bandwidth` must be at least `line.fwhm` ({self.fwhm} MHz), but is {self.bandwidth} MHz."
            )
            raise ValueError(message)
        return self

    @property
    def band(self) -> tuple[float, float]:
        """Lowest and highest offset, MHz."""
        return -self.bandwidth / 2, self.bandwidth / 2


class LorentzianLine(_Peak):
    """A Lorentzian, L(nu) = (h / pi) / (nu^2 + h^2) with h half the full width at half maximum."""

    kind: Literal["lorentzian"] = "lorentzian"

    def density(self, offsets: Array) -> Array:
        """See `LineShape`."""
        half = self.fwhm / 2
        return half / np.pi / (offsets**2 + half**2)

    def quantile(self, u: Array) -> Array:
        """See `LineShape`."""
        return self.fwhm / 2 * portable.tan((2 * u - 1) * atan(self.bandwidth / self.fwhm))


class GaussianLine(_Peak):
    """A Gaussian, L(nu) = exp(-nu^2 / (2 sigma^2)) / (sqrt(2 pi) sigma) with sigma = fwhm / (2 sqrt(2 ln 2))."""

    kind: Literal["gaussian"] = "gaussian"

    @property
    def sigma(self) -> float:
        """Standard deviation of the line before it is truncated, MHz."""
        return self.fwhm / (2 * sqrt(2 * log(2)))

    def density(self, offsets: Array) -> Array:
        """See `LineShape`."""
        return portable.exp(-((offsets / self.sigma) ** 2) / 2) / (np.sqrt(2 * np.pi) * self.sigma)

    def quantile(self, u: Array) -> Array:
        """See `LineShape`."""
        edge = self.bandwidth / 2
        inside = erf(edge / (np.sqrt(2) * self.sigma))
        # Where all of the line is inside to double precision, its ends are at infinity.
        return np.clip(np.sqrt(2) * self.sigma * erfinv((2 * u - 1) * inside), -edge, edge)
