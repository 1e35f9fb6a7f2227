"""What an objective must offer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from nmr_platform.pulse_design.spaces import Measurement

__all__ = ["LOWEST", "Judgement", "Objective"]

LOWEST = -1.0
"""No judgement is lower, so that a forbidden candidate can be given a value that is."""


@dataclass(frozen=True)
class Judgement:
    """What a measurement is worth.

    Attributes:
        value: Larger is better; at least `LOWEST`.
        error: Standard error of the value, from a bootstrap over the curves it is an average of.
        details: Further numbers by name, for instance the R2 of each target.
    """

    value: float
    error: float
    details: Mapping[str, float] = field(default_factory=dict)


class Objective(Protocol):
    """A figure of merit of measurements.

    The same measurement and share give the same judgement to the last bit, whatever was asked before, and a larger
    share continues the curves of a smaller one.
    """

    @property
    def label(self) -> str:
        """Name of the value, for axes."""

    def judge(self, measurement: Measurement, share: float = 1.0) -> Judgement:
        """Judge a measurement on a part of the curves.

        Args:
            measurement: The sequences.
            share: Part of the curves to use, in (0, 1].

        Raises:
            ConfigurationError: The sequences do not fit the time step or the windows.
        """
