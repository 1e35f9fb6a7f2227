"""What all line shapes have in common: a band, and how much each spin counts."""

from abc import abstractmethod
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nmr_platform.schema import Schema

__all__ = ["LineShape", "Spins"]

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

    def at(self, sites: NDArray[np.int64], size: int) -> "Spins":
        """These spins on some of the sites of a lattice; the others count for nothing.

        Args:
            sites: Where each spin is, shape (N,).
            size: Number of sites.

        Returns:
            One entry a site, each of shape (size,); offset (MHz) and weights of an empty site are 0.
        """
        placed = np.zeros((3, size))
        placed[:, sites] = self
        return Spins(*placed)


class LineShape(Schema):
    """A distribution of Larmor offsets over a band.

    Attributes:
        weights: ``sampled``: offsets drawn from the line, P_j = 1 and w_j = 1/N.
            ``integrated``: offsets on a uniform grid over the band in random order, P_j = w_j = L(nu_j) dnu, not
            renormalised. ``normalised``: offsets drawn from the line, P_j = w_j = 1/N.
    """

    weights: Literal["sampled", "integrated", "normalised"] = "sampled"

    @property
    @abstractmethod
    def band(self) -> tuple[float, float]:
        """Lowest and highest offset, MHz."""

    @abstractmethod
    def density(self, offsets: Array) -> Array:
        """Density L at ``offsets`` (MHz), of the line before it is truncated to the band, 1/MHz, same shape."""

    @abstractmethod
    def quantile(self, u: Array) -> Array:
        """Offset (MHz) below which a fraction ``u`` of the part of the line inside the band lies, same shape."""

    def grid(self, size: int) -> Array:
        """``size`` offsets spread evenly over the band, its ends included, MHz, shape (size,)."""
        return np.linspace(*self.band, size)

    def draw(self, size: int, rng: np.random.Generator) -> Spins:
        """Draw the offsets of some spins and weigh them.

        Args:
            size: Number of spins N.
            rng: Where the random numbers come from.

        Returns:
            Offsets (MHz) and dimensionless weights, each of shape (N,).
        """
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
        lowest, highest = self.band
        weights = self.density(offsets) * ((highest - lowest) / max(size - 1, 1))
        return Spins(offsets, weights, weights)
