"""Data sets that are grids: parameters that take listed values instead of drawn ones."""

from math import prod
from typing import Annotated, Self

import numpy as np
from pydantic import Field, model_validator

from nmr_platform.datasets.recipe.distributions import Scalar
from nmr_platform.schema import Schema

__all__ = ["Sweep"]

# As many as a data set may have curves.
_MOST_POINTS = 10_000_000
_Values = Annotated[tuple[Scalar, ...], Field(strict=False, min_length=1)]


class Sweep(Schema):
    """A grid of parameter values; curve i sits at point i modulo the number of points.

    Attributes:
        crossed: Lists of values by dotted key; every combination is a point. Keys count in alphabetical order, the
            last one running fastest, so that the file's order does not matter.
        paired: Lists of equal length by dotted key; their n-th values belong together. They run slowest.
    """

    crossed: dict[str, _Values] = Field(default_factory=dict)
    paired: dict[str, _Values] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _is_a_grid(self) -> Self:
        if not self.crossed and not self.paired:
            message = "Key `sweep` must have values under `crossed` or `paired`, but has none."
            raise ValueError(message)
        for key in self.crossed.keys() & self.paired.keys():
            message = f"Key `sweep.paired.{key}` must not be under `crossed` too, but is."
            raise ValueError(message)
        if self.n_points > _MOST_POINTS:
            message = f"Key `sweep` must have at most {_MOST_POINTS:,} points, but has {self.n_points:,}."
            raise ValueError(message)
        lengths = {key: len(values) for key, values in self.paired.items()}
        if len(set(lengths.values())) > 1:
            shown = ", ".join(f"{key} has {length}" for key, length in lengths.items())
            message = f"Key `sweep.paired` must have lists of equal length, but {shown}."
            raise ValueError(message)
        return self

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys that take listed values."""
        return (*self.paired, *self.crossed)

    @property
    def n_points(self) -> int:
        """Number of grid points."""
        return prod(self._lengths)

    def point(self, number: int) -> dict[str, Scalar]:
        """Values of curve ``number``, by dotted key."""
        first, *others = (int(i) for i in np.unravel_index(number % self.n_points, self._lengths))
        values = {key: listed[first] for key, listed in self.paired.items()}
        return values | {key: self.crossed[key][i] for key, i in zip(sorted(self.crossed), others, strict=True)}

    @property
    def _lengths(self) -> tuple[int, ...]:
        paired = len(next(iter(self.paired.values()), (None,)))
        return (paired, *(len(self.crossed[key]) for key in sorted(self.crossed)))
