"""A sequence that the user lists."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field, NonNegativeFloat, field_validator

from nmr_platform.physics.sequences.base import SequenceBase
from nmr_platform.physics.sequences.elements import Delay, Element

__all__ = ["Custom"]


class Custom(SequenceBase):
    """Any list of pulses and delays that starts with a pulse.

    Attributes:
        elements: The pulses and delays in order.
        echo_times: Where echoes are expected, us after the end of the first pulse; may be empty.
    """

    units: ClassVar[Mapping[str, str]] = {"echo_times": "us"}

    kind: Literal["custom"] = "custom"
    elements: Annotated[tuple[Element, ...], Field(strict=False)]
    echo_times: Annotated[tuple[NonNegativeFloat, ...], Field(strict=False)] = ()

    @field_validator("elements")
    @classmethod
    def _starts_with_a_pulse(cls, elements: tuple[Element, ...]) -> tuple[Element, ...]:
        if not elements or isinstance(elements[0], Delay):
            message = "it must start with a pulse: the record starts just after it."
            raise ValueError(message)
        if not any(isinstance(element, Delay) and element.duration > 0 for element in elements):
            message = "it must hold a delay: nothing is recorded during a pulse."
            raise ValueError(message)
        return elements

    @property
    def parts(self) -> tuple[Element, ...]:
        """The elements."""
        return self.elements

    @property
    def expected_echoes(self) -> tuple[float, ...]:
        """The echo times."""
        return self.echo_times
