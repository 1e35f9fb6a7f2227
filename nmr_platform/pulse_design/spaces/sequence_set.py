"""What is measured in one go, one sequence or several on the same sample; and the textbook's sequences by name."""

import re
from typing import Annotated, Self

from pydantic import Field

from nmr_platform.errors import ConfigurationError
from nmr_platform.physics import Cpmg, Hahn, Pulse, Sequence, ShapedPulse, StimulatedEcho
from nmr_platform.schema import Name, Schema

__all__ = ["BASELINE", "KEPT", "SequenceSet", "is_named", "named_sequence"]

BASELINE = "90/180"
"""The textbook's Hahn echo: the first candidate of every search."""

KEPT = "kept"
"""What a set that grows is called before anything is added."""

_ANGLES = re.compile(r"(\d+(?:\.\d+)?)/(\d+(?:\.\d+)?)")
_TRAIN = re.compile(r"cpmg-([1-9]\d?)")


class SequenceSet(Schema):
    """Sequences whose records are analysed jointly, by name.

    What it is dumped to can be laid into an experiment, in place of its ``sequence``.

    Attributes:
        sequences: In the order in which they are run, each on the sample in equilibrium.

    Example:
        >>> from nmr_platform.physics import Hahn
        >>> from nmr_platform.pulse_design import SequenceSet
        >>> both = SequenceSet.of(Hahn(tau=27.2, theta1=86.6, theta2=184.0), Hahn(tau=60.0, theta1=60.0))
        >>> list(both.sequences), both.duration
        (['s1', 's2'], 261.6)
    """

    sequences: Annotated[dict[Name, Sequence], Field(min_length=1)]

    @classmethod
    def of(cls, *sequences: Sequence) -> Self:
        """Sequences that have no names of their own: ``s1``, ``s2`` and so on."""
        return cls(sequences={f"s{k}": each for k, each in enumerate(sequences, 1)})

    def __str__(self) -> str:
        return " and then ".join(map(str, self.sequences.values()))

    def is_like(self, other: "SequenceSet") -> bool:
        """Whether the sequences are those of ``other``, whatever they are called."""
        return [*self.sequences.values()] == [*other.sequences.values()]

    @property
    def first(self) -> Sequence:
        """The sequence that is run first."""
        return next(iter(self.sequences.values()))

    @property
    def duration(self) -> float:
        """Time of pulses and delays of all sequences, us; waiting for equilibrium in between is not counted."""
        return sum(part.duration for sequence in self.sequences.values() for part in sequence.parts)

    @property
    def pulses(self) -> tuple[Pulse | ShapedPulse, ...]:
        """The pulses of all sequences in order."""
        return tuple(pulse for sequence in self.sequences.values() for pulse in sequence.pulses)

    @property
    def largest_flip(self) -> float:
        """Largest flip angle on resonance of any pulse, degrees; of a shaped one, 360 times its integral."""
        return max(_flip(pulse) for pulse in self.pulses)

    @property
    def largest_drive(self) -> float:
        """Largest amplitude of any pulse that lasts, MHz; 0 if all are ideal."""
        return max((abs(part.amplitude) for pulse in self.pulses for part in pulse.segments), default=0.0)


def _flip(pulse: Pulse | ShapedPulse) -> float:
    if isinstance(pulse, Pulse):
        return abs(pulse.theta)
    return 360 * sum(abs(part.amplitude) * part.duration for part in pulse.segments)


def is_named(name: str) -> bool:
    """Whether `named_sequence` knows ``name``."""
    return name == "stimulated" or bool(_ANGLES.fullmatch(name) or _TRAIN.fullmatch(name))


def named_sequence(name: str, tau: float) -> Sequence:
    """The sequence called ``name`` at the time scale ``tau``.

    Args:
        name: ``<theta1>/<theta2>``, a Hahn echo of these flip angles in degrees, x and y; ``cpmg-<n>``, a train of n
            echoes with 2 ``tau`` between them; ``stimulated``, three 90 degree pulses with ``tau`` and ``tau``.
        tau: us.

    Raises:
        ConfigurationError: There is no such sequence.
    """
    if angles := _ANGLES.fullmatch(name):
        return Hahn(tau=tau, theta1=float(angles[1]), theta2=float(angles[2]))
    if train := _TRAIN.fullmatch(name):
        return Cpmg(echo_spacing=2 * tau, n_echoes=int(train[1]))
    if name == "stimulated":
        return StimulatedEcho(tau=tau, mixing=tau)
    message = f"Name of a sequence must be stimulated, cpmg-<n> or <theta1>/<theta2>, but is {name!r}."
    raise ConfigurationError(message, key="start", value=name)
