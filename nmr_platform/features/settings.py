"""Which features to extract, as frozen settings with a stable name."""

from collections import Counter
from typing import Annotated, Literal, Self

from pydantic import Field, PositiveInt, StringConstraints, model_validator

from nmr_platform.features.polynomial import SHORTEST_RECORD
from nmr_platform.features.quantiles import SHORTEST_SERIES
from nmr_platform.features.signals import COMPONENTS, NEEDS_FLOOR
from nmr_platform.schema import Schema

__all__ = ["DEFAULT_HALF_WIDTH", "AnyFeatureSet", "CombinedSet", "FeatureSet", "FeaturesSettings"]

DEFAULT_HALF_WIDTH = 150
# What cubics, second differences, the flanks of an echo need.
_FEWEST_SAMPLES = {"polynomial": SHORTEST_RECORD, "quantiles": SHORTEST_SERIES, "shape": 8}
# Signals that a kind can read, where that is not every one: spectra and shapes of a logarithm or a phase say nothing.
_SPECTRAL = ("magnitude", "complex", "aligned")
_READABLE = {"frequency": _SPECTRAL, "polynomial_frequency": _SPECTRAL, "shape": ("magnitude", "complex")}


class FeatureSet(Schema):
    """One way to turn a record M(t) into columns.

    Attributes:
        kind: ``pointwise`` (the samples themselves), ``polynomial`` (cubic fits in 4, 5 and 10 bins), ``frequency``
            (spectrum of the echo), ``polynomial_frequency`` (cubic fits of that spectrum), ``quantiles`` (QUANT: over
            dyadic intervals of the samples, their differences and their spectrum) or ``shape`` (moments, widths,
            secondary maxima).
        signal: What M(t) is read as: ``magnitude`` |M|; ``complex``, its real and imaginary part; ``aligned``, the
            same relative to the phase at the echo; ``log_magnitude``; ``phase``, its cosine and sine relative to the
            echo; ``instantaneous_frequency``.
        window: ``echo`` looks around the echo, ``record`` at the whole record with the free decay.
        decimate: Samples that are averaged into one, without aliasing.
        rescale: Divide each row by its own maximum of |M| in the window. This throws the amplitude away.
        half_width: Samples kept on each side of the echo.
    """

    kind: Literal["pointwise", "polynomial", "frequency", "polynomial_frequency", "quantiles", "shape"]
    signal: Literal["magnitude", "complex", "aligned", "log_magnitude", "phase", "instantaneous_frequency"]
    window: Literal["echo", "record"] = "echo"
    decimate: PositiveInt = 1
    rescale: bool = False
    half_width: PositiveInt = DEFAULT_HALF_WIDTH

    @model_validator(mode="after")
    def _kind_can_read_the_signal(self) -> Self:
        allowed = _READABLE.get(self.kind, tuple(COMPONENTS))
        if self.signal not in allowed:
            options = ", ".join(allowed)
            message = f"Key `signal` must be one of {options} for {self.kind} features, but is {self.signal}."
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _nothing_is_ignored(self) -> Self:
        if self.window == "record" and self.kind in ("frequency", "polynomial_frequency"):
            message = f"Key `window` must be echo for {self.kind} features, whose envelope fades in and out around it."
            raise ValueError(message)
        if self.window == "record" and self.kind != "shape" and self.half_width != DEFAULT_HALF_WIDTH:
            message = f"Key `half_width` must not be given for the window record, but is {self.half_width}."
            raise ValueError(message)
        if self.rescale and self.kind == "shape":
            message = "Key `rescale` must not be given for shape features: those that depend on the amplitude say so."
            raise ValueError(message)
        if self.rescale and self.signal in ("phase", "instantaneous_frequency"):
            message = f"Key `rescale` must not be given for the signal {self.signal}, which has no amplitude."
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _window_holds_enough(self) -> Self:
        looks_around_the_echo = self.window == "echo" or self.kind == "shape"
        if looks_around_the_echo and 2 * (self.half_width // self.decimate) < self.fewest_samples:
            message = (
                f"Key `half_width` must be at least {self.decimate * (self.fewest_samples // 2)} for {self.kind} "
                f"features, but is {self.half_width}."
            )
            raise ValueError(message)
        return self

    @property
    def fewest_samples(self) -> int:
        """Samples that the window must hold, after averaging."""
        return _FEWEST_SAMPLES.get(self.kind, 2)

    @property
    def name(self) -> str:
        """Short name, for instance ``pointwise-magnitude`` or ``polynomial-complex-rescaled-h100``."""
        parts: list[str] = [self.kind, self.signal]
        parts += ["record"] * (self.window == "record")
        parts += ["rescaled"] * self.rescale
        parts += [f"d{self.decimate}"] * (self.decimate != 1)
        parts += [f"h{self.half_width}"] * (self.half_width != DEFAULT_HALF_WIDTH)
        return "-".join(parts)

    @property
    def components(self) -> tuple[str, ...]:
        """The real signals that M(t) is read as, for instance ``("abs",)`` or ``("re", "im")``.

        Quantiles sort the values of each signal by themselves, so that those of |M| do not follow from those of its
        parts: they are added.
        """
        added = ("abs",) if (self.kind, self.signal) == ("quantiles", "complex") else ()
        return COMPONENTS[self.signal] + added

    @property
    def needs_floor(self) -> bool:
        """Whether the set asks how many spins there are, whose disorder limits how small |M| can be."""
        return self.signal in NEEDS_FLOOR or self.kind == "shape"

    @property
    def parts(self) -> tuple["FeatureSet", ...]:
        """The set itself; several for a combined one."""
        return (self,)


class CombinedSet(Schema):
    """Several feature sets side by side in one table; columns are named ``<set>.<column>``.

    Attributes:
        kind: ``combined``.
        name: Name of the whole.
        of: The sets, two or more, no two alike.
    """

    kind: Literal["combined"]
    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_+-]+$")]
    of: Annotated[tuple[FeatureSet, ...], Field(strict=False, min_length=2)]

    @model_validator(mode="after")
    def _parts_differ(self) -> Self:
        _require_different("of", [item.name for item in self.of])
        return self

    @property
    def parts(self) -> tuple[FeatureSet, ...]:
        """The sets that are combined."""
        return self.of


AnyFeatureSet = FeatureSet | CombinedSet


class FeaturesSettings(Schema):
    """The feature sets of a study.

    Attributes:
        sets: Feature sets, at least one, no two alike.
    """

    sets: Annotated[
        tuple[Annotated[AnyFeatureSet, Field(discriminator="kind")], ...], Field(strict=False, min_length=1)
    ]

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        _require_different("sets", [item.name for item in self.sets])
        return self


def _require_different(key: str, names: list[str]) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        message = f"Key `{key}` must not name a feature set twice, but holds `{twice[0]}` more than once."
        raise ValueError(message)
