"""The inhomogeneous line: which Larmor offsets the spins have, and how much each counts."""

from typing import Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveFloat, model_validator

from nmr_platform.schema import Schema

__all__ = ["Line", "Spins"]

Array = NDArray[np.float64]


class Spins(NamedTuple):
    """One realisation of the disorder.

    Attributes:
        offsets: Larmor offset nu of every spin, MHz, shape (N,).
        field_weights: P_j, with which spin j enters the mean field, shape (N,).
        signal_weights: w_j, with which spin j enters the observed M, shape (N,).
    """

    offsets: Array
    field_weights: Array
    signal_weights: Array


class Line(Schema):
    """A Lorentzian line truncated to a band.

    Attributes:
        fwhm: Full width at half maximum, MHz.
        bandwidth: Full width of the band that the offsets are confined to, MHz.
        weights: ``sampled``: offsets drawn from the line, P_j = 1 and w_j = 1/N.
            ``integrated``: offsets on a uniform grid over the band in random order, P_j = w_j = L(nu_j) dnu, not
            renormalised. ``normalised``: offsets drawn from the line, P_j = w_j = 1/N.
    """

    kind: Literal["lorentzian"] = "lorentzian"
    fwhm: PositiveFloat
    bandwidth: PositiveFloat
    weights: Literal["sampled", "integrated", "normalised"] = "sampled"

    @model_validator(mode="after")
    def _band_holds_the_line(self) -> Self:
        if self.bandwidth < self.fwhm:
            message = (
                f"Key `line.bandwidth` must be at least `line.fwhm` ({self.fwhm} MHz), but is {self.bandwidth} MHz."
            )
            raise ValueError(message)
        return self

    def density(self, offsets: Array) -> Array:
        """The untruncated Lorentzian at ``offsets`` (MHz), 1/MHz, same shape."""
        half = self.fwhm / 2
        return half / np.pi / (offsets**2 + half**2)

    def quantile(self, u: Array) -> Array:
        """Offset (MHz) below which a fraction ``u`` of the truncated line lies, same shape."""
        return self.fwhm / 2 * np.tan((2 * u - 1) * np.arctan(self.bandwidth / self.fwhm))

    def grid(self, size: int) -> Array:
        """``size`` offsets spread evenly over the band, its ends included, MHz, shape (size,)."""
        return np.linspace(-self.bandwidth / 2, self.bandwidth / 2, size)

    def draw(self, size: int, rng: np.random.Generator) -> Spins:
        """Draw the offsets of ``size`` spins and weigh them."""
        if self.weights == "integrated":
            return self.weigh(rng.permutation(self.grid(size)))
        return self.weigh(self.quantile(rng.random(size)))

    def weigh(self, offsets: Array) -> Spins:
        """Weights of spins with the given ``offsets`` (MHz, shape (N,))."""
        size = offsets.size
        share = np.full(size, 1 / size)
        if self.weights == "sampled":
            return Spins(offsets, np.ones(size), share)
        if self.weights == "normalised":
            return Spins(offsets, share, share)
        spacing = self.bandwidth / max(size - 1, 1)
        weights = self.density(offsets) * spacing
        return Spins(offsets, weights, weights)
