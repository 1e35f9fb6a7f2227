"""A line given by points, for instance a measured one."""

from collections.abc import Mapping
from functools import cached_property
from itertools import pairwise
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, NonNegativeFloat, model_validator

from nmr_platform.physics.lines.base import LineShape

__all__ = ["TableLine"]

Array = NDArray[np.float64]


class TableLine(LineShape):
    """A line that is linear between points; the band ends with the first and the last of them.

    Attributes:
        offsets: Larmor offsets of the points in ascending order, MHz.
        densities: Height of the line at each, any unit: the line is divided by its integral.
    """

    units: ClassVar[Mapping[str, str]] = {"offsets": "MHz", "densities": "1"}

    kind: Literal["table"] = "table"
    offsets: Annotated[tuple[float, ...], Field(min_length=2, strict=False)]
    densities: Annotated[tuple[NonNegativeFloat, ...], Field(min_length=2, strict=False)]

    @model_validator(mode="after")
    def _points_make_a_line(self) -> Self:
        if len(self.densities) != len(self.offsets):
            message = (
                f"Key `line.densities` must have an entry for each of the {len(self.offsets)} `line.offsets`, "
                f"but has {len(self.densities)}."
            )
            raise ValueError(message)
        for number, (one, following) in enumerate(pairwise(self.offsets), start=1):
            if following <= one:
                message = f"Key `line.offsets.{number}` must be above the {one} MHz before it, but is {following} MHz."
                raise ValueError(message)
        if not any(self.densities):
            message = "Key `line.densities` must have an entry above 0, but has none."
            raise ValueError(message)
        return self

    @property
    def band(self) -> tuple[float, float]:
        """Lowest and highest offset, MHz."""
        return self.offsets[0], self.offsets[-1]

    def density(self, offsets: Array) -> Array:
        """See `LineShape`; 0 outside the band."""
        nu, heights, _ = self._points
        return np.interp(offsets, nu, heights, left=0.0, right=0.0)

    def quantile(self, u: Array) -> Array:
        """See `LineShape`."""
        nu, heights, below = self._points
        segment = np.clip(np.searchsorted(below, u) - 1, 0, len(nu) - 2)
        area, start, width = u - below[segment], heights[segment], np.diff(nu)[segment]
        # Area from the segment's start to x: start x + slope x^2 / 2, solved for x without cancellation.
        slope = np.diff(heights)[segment] / width
        root = start + np.sqrt(np.maximum(start**2 + 2 * slope * area, 0.0))
        inside = np.divide(2 * area, root, out=np.zeros_like(root), where=root > 0)
        return nu[segment] + np.clip(inside, 0.0, width)

    @cached_property
    def _points(self) -> tuple[Array, Array, Array]:
        """Offsets (MHz), densities (1/MHz) and the fraction of the line below each offset."""
        nu, heights = np.array(self.offsets), np.array(self.densities) / max(self.densities)
        below = np.concatenate([[0.0], np.cumsum(np.diff(nu) * (heights[1:] + heights[:-1]) / 2)])
        return nu, heights / below[-1], below / below[-1]
