"""The imperfections and habits of the spectrometer."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field, NonNegativeFloat

from nmr_platform.schema import Count, Schema

__all__ = ["Drive", "PhaseStep", "Receiver"]


class Drive(Schema):
    """How far pulses are from what was asked for.

    Attributes:
        calibration: Factor on every flip angle and drive amplitude; 1 is perfect.
        inhomogeneity: Relative standard deviation of that factor over the sample, normally distributed; it is drawn
            once for every spin.
    """

    units: ClassVar[Mapping[str, str]] = {"calibration": "factor", "inhomogeneity": "relative"}

    calibration: float = 1.0
    inhomogeneity: NonNegativeFloat = 0.0


class PhaseStep(Schema):
    """One step of a phase cycle.

    Attributes:
        pulses: Phase added to each pulse in order, degrees.
        receiver: Phase of the receiver, degrees: the record is multiplied by exp(-i receiver).
    """

    units: ClassVar[Mapping[str, str]] = {"pulses": "degrees", "receiver": "degrees"}

    pulses: Annotated[tuple[float, ...], Field(strict=False, min_length=1)]
    receiver: float = 0.0


class Receiver(Schema):
    """What of the magnetisation is recorded.

    Attributes:
        noise: Standard deviation of the Gaussian noise on the real and on the imaginary part of each sample, in the
            units of M (1/2 is full polarisation).
        dead_time: Nothing is recorded for so long after the end of a pulse, us.
        every: Record every so many steps.
    """

    units: ClassVar[Mapping[str, str]] = {"noise": "units of M", "dead_time": "us", "every": "steps"}

    noise: Annotated[float, Field(ge=0.0, le=1e6)] = 0.0
    dead_time: NonNegativeFloat = 0.0
    every: Count = 1
