"""Shaped pulses with free amplitude and phase, kept within what a spectrometer can do."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PositiveFloat, model_validator
from scipy.interpolate import BSpline

from nmr_platform.datasets import Range, Uniform
from nmr_platform.schema import Schema

__all__ = ["Waveform"]

_DEGREE = 3


class Waveform(Schema):
    """A place in a custom sequence that a search fills with a shaped pulse.

    ``piecewise``: the points are the segments. ``b_spline``: the points are the coefficients of a clamped cubic
    B-spline on equal knots (de Boor, *A Practical Guide to Splines*, 1978), sampled at the middle of the segments; it
    stays between the smallest and the largest of its coefficients. Phases are interpolated the same way.

    Attributes:
        duration: Length of the pulse, us.
        points: Free amplitudes, and as many phases.
        basis: ``piecewise`` or ``b_spline``.
        segments: Pieces of constant drive; as many as points for ``piecewise``.
        amplitude: Range of every amplitude, MHz.
        phase: Range of every phase, degrees; without it, all phases are 0.
        max_slew: How fast the amplitude may change, MHz/us, from and to zero at the ends too. What was asked for is
            replaced by the largest waveform below it that keeps the limit.
    """

    units: ClassVar[Mapping[str, str]] = {"duration": "us", "max_slew": "MHz/us"}

    kind: Literal["waveform"]
    duration: PositiveFloat
    points: Annotated[int, Field(gt=0, le=10_000)]
    basis: Literal["piecewise", "b_spline"] = "piecewise"
    segments: Annotated[int, Field(gt=0, le=100_000)] | None = None
    amplitude: Range
    phase: Range | None = None
    max_slew: PositiveFloat | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.amplitude.low < 0:
            message = (
                f"Key `amplitude.low` must not be negative (a phase of 180 turns it), but is {self.amplitude.low}."
            )
            raise ValueError(message)
        if self.basis == "piecewise" and self.segments not in (None, self.points):
            message = f"Key `segments` must equal `points` for `piecewise`, but {self.segments} is not {self.points}."
            raise ValueError(message)
        if self.basis == "b_spline" and (self.points <= _DEGREE or self.segments is None):
            message = (
                f"Key `points` must be more than {_DEGREE} and `segments` a number for `b_spline`, but they are "
                f"{self.points} and {self.segments}."
            )
            raise ValueError(message)
        return self

    @property
    def parameters(self) -> dict[str, Uniform]:
        """What is searched, by name: ``amplitude.<k>`` in MHz and ``phase.<k>`` in degrees."""
        ranges = {"amplitude": self.amplitude} | ({"phase": self.phase} if self.phase else {})
        return {
            f"{name}.{k}": Uniform(kind="uniform", low=each.low, high=each.high)
            for name, each in ranges.items()
            for k in range(self.points)
        }

    def pulse(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The shaped pulse, as plain data of a sequence's element.

        Args:
            values: One number for each of `parameters`.
        """
        n = self.segments or self.points
        length = self.duration / n
        amplitudes = self._sampled([float(values[f"amplitude.{k}"]) for k in range(self.points)])
        if self.max_slew is not None:
            amplitudes = _slew_limited(amplitudes, self.max_slew * length)
        phases = np.zeros(n)
        if self.phase is not None:
            phases = self._sampled([float(values[f"phase.{k}"]) for k in range(self.points)])
        return {
            "kind": "shaped",
            "segments": [
                {"duration": length, "amplitude": float(a), "phase": float(p)}
                for a, p in zip(amplitudes, phases, strict=True)
            ],
        }

    def _sampled(self, points: list[float]) -> NDArray[np.float64]:
        """The values of the segments, shape (n_segments,)."""
        if self.basis == "piecewise" or self.segments is None:
            return np.array(points)
        inner = np.linspace(0, 1, self.points - _DEGREE + 1)
        knots = np.concatenate([np.zeros(_DEGREE), inner, np.ones(_DEGREE)])
        middles = (np.arange(self.segments) + 0.5) / self.segments
        return np.asarray(BSpline(knots, np.array(points), _DEGREE)(middles), dtype=np.float64)


def _slew_limited(amplitudes: NDArray[np.float64], most: float) -> NDArray[np.float64]:
    """The largest waveform below ``amplitudes`` that changes by at most ``most`` a segment and is zero outside."""
    n = amplitudes.size
    asked = np.concatenate([[0.0], amplitudes, [0.0]])
    places = np.arange(n + 2)
    envelope = asked[None, :] + most * np.abs(places[:, None] - places[None, :])
    limited: NDArray[np.float64] = envelope.min(axis=1)[1:-1]
    return limited
