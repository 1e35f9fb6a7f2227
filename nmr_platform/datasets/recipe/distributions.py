"""What the parameters of a data set are drawn from."""

from math import exp, log
from typing import Annotated, Literal, Self

from pydantic import Field, PositiveFloat, field_validator, model_validator
from scipy.special import ndtr, ndtri

from nmr_platform.datasets.recipe.expressions import formula
from nmr_platform.errors import ConfigurationError
from nmr_platform.schema import Schema

__all__ = [
    "Choice",
    "Constant",
    "Distribution",
    "Expression",
    "LogUniform",
    "Range",
    "Scalar",
    "TruncatedNormal",
    "Uniform",
]

Scalar = bool | int | float | str
"""What one parameter may be."""


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

    def quantile(self, u: float) -> float:
        """The value below which a fraction ``u`` of the draws lies."""
        return self.low + (self.high - self.low) * u


class LogUniform(Range):
    """Uniform in the logarithm between ``low`` > 0 and ``high``, in the unit of the parameter."""

    kind: Literal["log_uniform"]
    low: PositiveFloat

    def quantile(self, u: float) -> float:
        """The value below which a fraction ``u`` of the draws lies."""
        log_low, log_high = log(self.low), log(self.high)
        return exp(log_low + (log_high - log_low) * u)


class TruncatedNormal(Range):
    """Normal, cut to between ``low`` and ``high``, all in the unit of the parameter.

    Attributes:
        mean: Mean before the cut.
        std: Standard deviation before the cut.
    """

    kind: Literal["normal"]
    mean: float
    std: PositiveFloat

    def quantile(self, u: float) -> float:
        """The value below which a fraction ``u`` of the draws lies."""
        low, high = (self.low - self.mean) / self.std, (self.high - self.mean) / self.std
        # In the upper tail the fraction below is 1 but for its last digits; that above keeps them all.
        side = 1.0 if low + high < 0 else -1.0
        start, stop = ndtr(side * low), ndtr(side * high)
        deviation = side * float(ndtri(start + (stop - start) * u))
        return min(max(self.mean + self.std * deviation, self.low), self.high)


class Choice(Schema):
    """One of several values, equally likely.

    Attributes:
        values: The values, in the unit of the parameter.
    """

    kind: Literal["choice"]
    values: Annotated[tuple[Scalar, ...], Field(strict=False, min_length=1)]

    def quantile(self, u: float) -> Scalar:
        """The value of the ``u``-th part of the list, ``u`` in [0, 1)."""
        return self.values[int(u * len(self.values))]


class Constant(Schema):
    """Always the same value.

    Attributes:
        value: In the unit of the parameter.
    """

    kind: Literal["constant"]
    value: Scalar


class Expression(Schema):
    """A value that follows from others.

    Attributes:
        value: Arithmetic over other keys, for instance ``coupling.alpha_x`` or ``0.5 * coupling.alpha_x``.
    """

    kind: Literal["expression"]
    value: str

    @field_validator("value")
    @classmethod
    def _is_arithmetic(cls, value: str) -> str:
        try:
            formula(value)
        except ConfigurationError as error:
            raise ValueError(str(error)) from error
        return value


Distribution = Annotated[
    Uniform | LogUniform | TruncatedNormal | Choice | Constant | Expression, Field(discriminator="kind")
]
