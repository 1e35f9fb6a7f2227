"""The spins before the first pulse: their mean, and the quantum fluctuations around it."""

from collections.abc import Mapping
from math import atan2, hypot, sqrt
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from nmr_platform import portable
from nmr_platform.physics.sequences import rotation_about
from nmr_platform.schema import Count, Schema

__all__ = ["Initial"]

Array = NDArray[np.float64]
Polarisation = Annotated[float, Field(ge=-1.0, le=1.0)]

_FULL = 0.5


class Initial(Schema):
    """The state that every record starts from; the same for all spins, but for their fluctuations.

    Attributes:
        polarisation: p: the mean of every spin is (0, 0, p/2); 1 if neither it nor ``m`` is given.
        m: Instead of it, the mean Bloch vector [x, y, z], where 1/2 is full polarisation.
        fluctuations: ``none``: every spin starts from its mean, which makes the equations those of mean field.
            ``sampled``: from a point of discrete phase space, +-1/2 along each of three axes, one of which is that of
            the mean; the probabilities are those of a measurement (discrete truncated Wigner approximation, arXiv
            1408.4441). The mean over many draws is the mean field's plus what fluctuations add.
        draws: The record is the mean over so many draws of the fluctuations, on the same disorder.

    Examples:
        >>> Initial(polarisation=0.2).mean.tolist()
        [0.0, 0.0, 0.1]
        >>> spins = Initial(fluctuations="sampled").draw(1000, np.random.default_rng(0))
        >>> np.unique(spins[0]).tolist(), np.unique(spins[2]).tolist()
        ([-0.5, 0.5], [0.5])
    """

    units: ClassVar[Mapping[str, str]] = {"polarisation": "1", "m": "units of M", "draws": "records"}

    polarisation: Polarisation | None = None
    m: Annotated[tuple[float, ...], Field(strict=False, min_length=3, max_length=3)] | None = None
    fluctuations: Literal["none", "sampled"] = "none"
    draws: Count = 1

    @model_validator(mode="after")
    def _is_a_spin(self) -> Self:
        if self.m is None:
            return self
        if self.polarisation is not None:
            message = "Key `initial.m` must not stand beside `initial.polarisation`, for each says where spins start."
            raise ValueError(message)
        # A user's digits may be a rounding error beyond the sphere.
        if hypot(*self.m) > _FULL * (1 + 1e-9):
            message = (
                f"Key `initial.m` must be at most 1/2 long, which is full polarisation, but {list(self.m)} is "
                f"{hypot(*self.m):.4g} long."
            )
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _has_draws_to_average(self) -> Self:
        if self.draws > 1 and self.fluctuations == "none":
            message = (
                f"Key `initial.draws` must be 1 unless `initial.fluctuations` is sampled, for all draws would be "
                f"alike, but is {self.draws}."
            )
            raise ValueError(message)
        return self

    @property
    def mean(self) -> Array:
        """Mean Bloch vector of a spin, shape (3,), where 1/2 is full polarisation."""
        along_z = (0.0, 0.0, _FULL * (1.0 if self.polarisation is None else self.polarisation))
        return np.array(along_z if self.m is None else self.m)

    @property
    def degree(self) -> float:
        """Degree of polarisation, in [0, 1], whatever its direction."""
        return float(min(hypot(*self.mean) / _FULL, 1.0))

    @property
    def longest(self) -> float:
        """The length that no spin exceeds at any time: 1/2, and sqrt(3)/2 of a point of discrete phase space."""
        return _FULL if self.fluctuations == "none" else sqrt(3) * _FULL

    @property
    def transverse_square(self) -> float:
        """Mean square of the transverse part of a spin, a mean over the draws, after 90 degrees; 1/4 by default."""
        mean = (_FULL * self.degree) ** 2
        return mean if self.fluctuations == "none" else mean + (2 * _FULL**2 - mean) / self.draws

    def draw(self, size: int, rng: np.random.Generator) -> Array:
        """Where the spins start in one draw.

        Args:
            size: Number of spins N.
            rng: Where the random numbers come from; without fluctuations none are taken.

        Returns:
            Their Bloch vectors, shape (3, N).
        """
        if self.fluctuations == "none":
            return np.broadcast_to(self.mean[:, np.newaxis], (3, size))
        x, y, z = self.mean
        tilt = atan2(hypot(x, y), z) if x or y else 0.0
        along = self.degree if tilt else z / _FULL
        chances = np.array([[0.5], [0.5], [(1 + along) / 2]])
        points: Array = np.where(rng.random((3, size)) < chances, _FULL, -_FULL)
        # A pulse about the axis at right angles takes +z to the direction of the mean.
        return portable.product(rotation_about(tilt, atan2(x, -y)), points) if tilt else points
