"""Which features to extract, as frozen settings with a stable name."""

from collections import Counter
from typing import Annotated, Literal, Self

from pydantic import Field, PositiveInt, model_validator

from nmr_platform.features.polynomial import SHORTEST_RECORD
from nmr_platform.schema import Schema

__all__ = ["DEFAULT_HALF_WIDTH", "FeatureSet", "FeaturesSettings"]

DEFAULT_HALF_WIDTH = 150


class FeatureSet(Schema):
    """One way to turn a record M(t) into columns.

    Attributes:
        kind: ``pointwise`` (the samples themselves), ``polynomial`` (cubic fits in 4, 5 and 10 bins), ``frequency``
            (spectrum of the echo) or ``polynomial_frequency`` (cubic fits of that spectrum).
        signal: ``magnitude`` uses |M|; ``complex`` uses real and imaginary part, phase included.
        rescale: Divide each row by its own maximum of |M| in the window. This throws the amplitude away.
        half_width: Samples kept on each side of the echo.
    """

    kind: Literal["pointwise", "polynomial", "frequency", "polynomial_frequency"]
    signal: Literal["magnitude", "complex"]
    rescale: bool = False
    half_width: PositiveInt = DEFAULT_HALF_WIDTH

    @model_validator(mode="after")
    def _bins_hold_a_cubic(self) -> Self:
        if self.kind == "polynomial" and self.window_length < SHORTEST_RECORD:
            message = (
                f"Key `half_width` must be at least {SHORTEST_RECORD // 2} for polynomial features, "
                f"but is {self.half_width}."
            )
            raise ValueError(message)
        return self

    @property
    def name(self) -> str:
        """Short name, for instance ``pointwise-magnitude`` or ``polynomial-complex-rescaled-h100``."""
        rescaled = "-rescaled" if self.rescale else ""
        width = "" if self.half_width == DEFAULT_HALF_WIDTH else f"-h{self.half_width}"
        return f"{self.kind}-{self.signal}{rescaled}{width}"

    @property
    def window_length(self) -> int:
        """Number of samples in the window."""
        return 2 * self.half_width

    @property
    def components(self) -> tuple[str, ...]:
        """The real signals that M(t) is read as: ``("abs",)`` or ``("re", "im")``."""
        return ("abs",) if self.signal == "magnitude" else ("re", "im")


class FeaturesSettings(Schema):
    """The feature sets of a study.

    Attributes:
        sets: Feature sets, at least one, no two alike.
    """

    sets: Annotated[tuple[FeatureSet, ...], Field(strict=False, min_length=1)]

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        twice = [name for name, count in Counter(item.name for item in self.sets).items() if count > 1]
        if twice:
            message = f"Key `sets` must not name a feature set twice, but holds `{twice[0]}` more than once."
            raise ValueError(message)
        return self
