"""What sequences are made of: pulses and delays."""

from collections.abc import Mapping
from math import cos, sin
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, NonNegativeFloat, PositiveFloat

from nmr_platform import portable
from nmr_platform.schema import Schema

__all__ = ["Delay", "Element", "Pulse", "Segment", "ShapedPulse", "rotation_about"]

_AXES = {0.0: "x", 90.0: "y", 180.0: "-x", 270.0: "-y"}


def rotation_about(theta: float, phi: float) -> NDArray[np.float64]:
    """Matrix of the active rotation by +theta about (cos phi, sin phi, 0).

    Args:
        theta: Angle of the rotation, radians.
        phi: Angle of the axis from x towards y, radians.

    Returns:
        Shape (3, 3), dimensionless; it acts on columns (x, y, z).
    """
    x, y = cos(phi), sin(phi)
    cross = np.array([[0.0, 0.0, y], [0.0, 0.0, -x], [-y, x, 0.0]])
    return np.eye(3) + sin(theta) * cross + (1 - cos(theta)) * portable.product(cross, cross)


class Segment(Schema):
    """A stretch of constant drive.

    Attributes:
        duration: us.
        amplitude: Nutation frequency, MHz: a spin on resonance turns by 360 degrees in 1/amplitude us.
        phase: Degrees; 0 is x and 90 is y.
    """

    units: ClassVar[Mapping[str, str]] = {"duration": "us", "amplitude": "MHz", "phase": "degrees"}

    duration: PositiveFloat
    amplitude: float
    phase: float = 0.0


class Pulse(Schema):
    """A rectangular pulse: an active rotation by +theta about the axis (cos phi, sin phi, 0).

    Attributes:
        theta: Flip angle on resonance, degrees.
        phi: Phase, degrees; 0 is x and 90 is y.
        duration: us. 0 is an ideal pulse; during a longer one, offsets and couplings go on acting.
    """

    units: ClassVar[Mapping[str, str]] = {"theta": "degrees", "phi": "degrees", "duration": "us"}

    kind: Literal["pulse"] = "pulse"
    theta: float
    phi: float = 0.0
    duration: NonNegativeFloat = 0.0

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The drive; empty for an ideal pulse."""
        if self.duration == 0:
            return ()
        amplitude = self.theta / 360 / self.duration
        return (Segment(duration=self.duration, amplitude=amplitude, phase=self.phi),)

    def shifted(self, phase: float) -> "Pulse":
        """The same pulse with ``phase`` (degrees) added."""
        return self.replace(phi=self.phi + phase)

    def __str__(self) -> str:
        length = f" ({self.duration:g} us)" if self.duration else ""
        return f"{self.theta:g}{_axis(self.phi)}{length}"


class ShapedPulse(Schema):
    """A pulse whose drive is piecewise constant; offsets and couplings go on acting during it.

    Attributes:
        segments: The drive in order.
    """

    kind: Literal["shaped"] = "shaped"
    segments: Annotated[tuple[Segment, ...], Field(strict=False, min_length=1)]

    @property
    def duration(self) -> float:
        """Length of the pulse, us."""
        return sum(segment.duration for segment in self.segments)

    def shifted(self, phase: float) -> "ShapedPulse":
        """The same pulse with ``phase`` (degrees) added."""
        return self.replace(segments=[part.replace(phase=part.phase + phase) for part in self.segments])

    def __str__(self) -> str:
        return f"shaped[{len(self.segments)}] ({self.duration:g} us)"


class Delay(Schema):
    """Free evolution.

    Attributes:
        duration: us; rounded to whole steps when simulated.
    """

    units: ClassVar[Mapping[str, str]] = {"duration": "us"}

    kind: Literal["delay"] = "delay"
    duration: NonNegativeFloat

    def __str__(self) -> str:
        return f"{self.duration:g} us"


Element = Annotated[Pulse | ShapedPulse | Delay, Field(discriminator="kind")]


def _axis(phi: float) -> str:
    return _AXES.get(phi % 360, f"({phi:g} deg)")
