"""Pulses, delays and the sequences made of them."""

from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

from nmr_platform.schema import Schema

__all__ = ["Cpmg", "Custom", "Delay", "Hahn", "Pulse", "Sequence"]


class Pulse(Schema):
    """An ideal pulse: an active rotation by +theta about the axis (cos phi, sin phi, 0).

    Attributes:
        theta: Flip angle, degrees.
        phi: Phase, degrees; 0 is x and 90 is y.
    """

    kind: Literal["pulse"] = "pulse"
    theta: float
    phi: float = 0.0

    @property
    def rotation(self) -> NDArray[np.float64]:
        """The rotation matrix that acts on (m_x, m_y, m_z), shape (3, 3)."""
        theta, phi = np.deg2rad(self.theta), np.deg2rad(self.phi)
        axis = np.array([np.cos(phi), np.sin(phi), 0.0])
        cross = np.array([[0.0, 0.0, axis[1]], [0.0, 0.0, -axis[0]], [-axis[1], axis[0], 0.0]])
        return np.eye(3) + np.sin(theta) * cross + (1 - np.cos(theta)) * cross @ cross


class Delay(Schema):
    """Free evolution.

    Attributes:
        duration: Microseconds; rounded to whole steps when simulated.
    """

    kind: Literal["delay"] = "delay"
    duration: NonNegativeFloat


Element = Annotated[Pulse | Delay, Field(discriminator="kind")]


class Hahn(Schema):
    """Hahn echo: pulse 1, tau, pulse 2, 2 tau. The echo is at 2 tau.

    Attributes:
        tau: Time between the pulses, us.
        theta1: Flip angle of the first pulse, degrees.
        phi1: Phase of the first pulse, degrees.
        theta2: Flip angle of the second pulse, degrees.
        phi2: Phase of the second pulse, degrees.
    """

    kind: Literal["hahn"] = "hahn"
    tau: PositiveFloat
    theta1: float = 90.0
    phi1: float = 0.0
    theta2: float = 180.0
    phi2: float = 90.0

    @property
    def elements(self) -> tuple[Pulse | Delay, ...]:
        """The pulses and delays in order."""
        return (
            Pulse(theta=self.theta1, phi=self.phi1),
            Delay(duration=self.tau),
            Pulse(theta=self.theta2, phi=self.phi2),
            # Two delays, so that the echo falls on a whole step after any rounding of tau.
            Delay(duration=self.tau),
            Delay(duration=self.tau),
        )

    @property
    def echo_times(self) -> tuple[float, ...]:
        """Where echoes are expected, us after the first pulse."""
        return (2 * self.tau,)


class Cpmg(Schema):
    """Carr-Purcell-Meiboom-Gill train: 90x - te/2 - [180y - te]^n.

    Attributes:
        echo_spacing: te, the time between two echoes, us.
        n_echoes: Number of refocusing pulses.
        theta1: Flip angle of the first pulse, degrees.
        theta2: Flip angle of the refocusing pulses, degrees.
    """

    kind: Literal["cpmg"] = "cpmg"
    echo_spacing: PositiveFloat
    n_echoes: PositiveInt
    theta1: float = 90.0
    theta2: float = 180.0

    @property
    def elements(self) -> tuple[Pulse | Delay, ...]:
        """The pulses and delays in order."""
        half = Delay(duration=self.echo_spacing / 2)
        refocus = (Pulse(theta=self.theta2, phi=90.0), half, half)
        return (Pulse(theta=self.theta1, phi=0.0), half, *(refocus * self.n_echoes))

    @property
    def echo_times(self) -> tuple[float, ...]:
        """Where echoes are expected, us after the first pulse."""
        return tuple(self.echo_spacing * (k + 1) for k in range(self.n_echoes))


class Custom(Schema):
    """Any list of pulses and delays that starts with a pulse.

    Attributes:
        elements: The pulses and delays in order.
        echo_times: Where echoes are expected, us after the first pulse; may be empty.
    """

    kind: Literal["custom"] = "custom"
    elements: Annotated[tuple[Element, ...], Field(strict=False)]
    echo_times: Annotated[tuple[NonNegativeFloat, ...], Field(strict=False)] = ()

    @model_validator(mode="after")
    def _starts_with_a_pulse(self) -> Self:
        if not self.elements or not isinstance(self.elements[0], Pulse):
            message = "Key `sequence.elements` must start with a pulse: the record starts just after it."
            raise ValueError(message)
        if not any(isinstance(element, Delay) and element.duration > 0 for element in self.elements):
            message = "Key `sequence.elements` must hold a delay: nothing is recorded during an ideal pulse."
            raise ValueError(message)
        return self


Sequence = Annotated[Hahn | Cpmg | Custom, Field(discriminator="kind")]
