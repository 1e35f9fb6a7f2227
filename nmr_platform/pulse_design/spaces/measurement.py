"""What is measured in one go: one sequence, or several one after another on the same sample."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from nmr_platform.physics import Pulse, Sequence, ShapedPulse

__all__ = ["Measurement"]


@dataclass(frozen=True)
class Measurement:
    """Sequences whose records are analysed jointly.

    Attributes:
        sequences: In the order in which they are run, each on the sample in equilibrium.
    """

    sequences: tuple[Sequence, ...]

    def __str__(self) -> str:
        return " and then ".join(map(str, self.sequences))

    def __iter__(self) -> Iterator[Sequence]:
        return iter(self.sequences)

    @property
    def duration(self) -> float:
        """Time of pulses and delays of all sequences, us; waiting for equilibrium in between is not counted."""
        return sum(part.duration for sequence in self.sequences for part in sequence.parts)

    @property
    def pulses(self) -> tuple[Pulse | ShapedPulse, ...]:
        """The pulses of all sequences in order."""
        return tuple(pulse for sequence in self.sequences for pulse in sequence.pulses)

    @property
    def largest_flip(self) -> float:
        """Largest flip angle on resonance of any pulse, degrees; of a shaped one, 360 times its integral."""
        return max(_flip(pulse) for pulse in self.pulses)

    @property
    def largest_drive(self) -> float:
        """Largest amplitude of any pulse that lasts, MHz; 0 if all are ideal."""
        return max((abs(part.amplitude) for pulse in self.pulses for part in pulse.segments), default=0.0)

    def dump(self) -> list[dict[str, Any]]:
        """Plain data, for YAML and identities."""
        return [sequence.model_dump(mode="json") for sequence in self.sequences]


def _flip(pulse: Pulse | ShapedPulse) -> float:
    if isinstance(pulse, Pulse):
        return abs(pulse.theta)
    return 360 * sum(abs(part.amplitude) * part.duration for part in pulse.segments)
