"""What the parameters of a data set are drawn from."""

from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, PositiveFloat, model_validator

from nmr_platform.schema import Schema

__all__ = ["Choice", "Distribution", "LogUniform", "Range", "SameAs", "Uniform"]


class Range(Schema):
    """A closed interval.

    Attributes:
        low: Lower end.
        high: Upper end.
    """

    low: float
    high: float

    @model_validator(mode="after")
    def _is_ordered(self) -> Self:
        if self.low > self.high:
            message = f"must have `low` <= `high`, but {self.low} > {self.high}."
            raise ValueError(message)
        return self

    def __str__(self) -> str:
        return f"[{self.low:g}, {self.high:g}]"

    def holds(self, value: float) -> bool:
        """Whether ``value`` lies in it."""
        return self.low <= value <= self.high


class Uniform(Range):
    """Uniform between ``low`` and ``high``, in the unit of the parameter."""

    kind: Literal["uniform"]

    def draw(self, rng: np.random.Generator) -> float:
        """One value."""
        return float(rng.uniform(self.low, self.high))


class LogUniform(Range):
    """Uniform in the logarithm between ``low`` > 0 and ``high``, in the unit of the parameter."""

    kind: Literal["log_uniform"]
    low: PositiveFloat

    def draw(self, rng: np.random.Generator) -> float:
        """One value."""
        return float(np.exp(rng.uniform(np.log(self.low), np.log(self.high))))


class Choice(Schema):
    """One of several values, equally likely.

    Attributes:
        values: The values, in the unit of the parameter.
    """

    kind: Literal["choice"]
    values: Annotated[tuple[float, ...], Field(strict=False, min_length=1)]

    def draw(self, rng: np.random.Generator) -> float:
        """One value."""
        return self.values[int(rng.integers(len(self.values)))]


class SameAs(Schema):
    """The value drawn for another parameter.

    Attributes:
        key: The other parameter's dotted key.
    """

    kind: Literal["same_as"]
    key: str


Distribution = Annotated[Uniform | LogUniform | Choice | SameAs, Field(discriminator="kind")]
