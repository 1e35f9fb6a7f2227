"""What every sequence can do."""

from abc import abstractmethod
from collections.abc import Mapping
from itertools import groupby, takewhile
from typing import ClassVar, NamedTuple

from pydantic import PositiveFloat

from nmr_platform.physics.sequences.elements import Delay, Element, Pulse, ShapedPulse
from nmr_platform.schema import Schema

__all__ = ["Block", "NamedSequence", "SequenceBase"]


class Block(NamedTuple):
    """A pulse or delay on the time axis, for drawing.

    Attributes:
        start: us after the beginning of the sequence.
        duration: us; 0 for an ideal pulse.
        amplitude: Nutation frequency, MHz, of a pulse that lasts; NaN for an ideal pulse, 0 for a delay.
        phase: Degrees.
        label: What it is, for instance ``90x``; empty for a delay.
    """

    start: float
    duration: float
    amplitude: float
    phase: float
    label: str


class SequenceBase(Schema):
    """A list of pulses and delays, and where its echoes are."""

    @property
    @abstractmethod
    def parts(self) -> tuple[Element, ...]:
        """The pulses and delays in order; the first is a pulse."""

    @property
    @abstractmethod
    def expected_echoes(self) -> tuple[float, ...]:
        """Where echoes are expected, us after the end of the first pulse."""

    @property
    def pulses(self) -> tuple[Pulse | ShapedPulse, ...]:
        """The pulses in order."""
        return tuple(part for part in self.parts if not isinstance(part, Delay))

    @property
    def timeline(self) -> tuple[Block, ...]:
        """The sequence on the time axis; a shaped pulse is one block a segment."""
        blocks, start = [], 0.0
        for part in self.parts:
            if isinstance(part, Delay):
                blocks.append(Block(start, part.duration, 0.0, 0.0, ""))
            elif not part.segments:
                blocks.append(Block(start, 0.0, float("nan"), part.phi if isinstance(part, Pulse) else 0.0, str(part)))
            at = start
            for number, segment in enumerate(() if isinstance(part, Delay) else part.segments):
                label = str(part) if number == 0 else ""
                blocks.append(Block(at, segment.duration, segment.amplitude, segment.phase, label))
                at += segment.duration
            start += part.duration
        return tuple(blocks)

    def __str__(self) -> str:
        """For instance ``90x - 20 us - [180y - 40 us] × 8``."""
        words: list[str] = []
        for is_delay, run in groupby(self.parts, key=lambda part: isinstance(part, Delay)):
            # Delays that follow each other are one wait.
            neighbours = list(run)
            words += [str(Delay(duration=sum(d.duration for d in neighbours)))] if is_delay else map(str, neighbours)
        shown, at = [], 0
        while at < len(words):
            repeats = _repeats(words[at:])
            shown.append(f"[{words[at]} - {words[at + 1]}] × {repeats}" if repeats > 1 else words[at])
            at += 2 * repeats if repeats > 1 else 1
        return " - ".join(shown)


class NamedSequence(SequenceBase):
    """A textbook sequence of rectangular pulses.

    Attributes:
        nutation: Strength of the drive, MHz: a pulse of flip angle theta lasts theta / (360 nutation) us. Ideal
            pulses if it is not given. Delays run from the end of a pulse to the beginning of the next.
    """

    units: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("tau", "mixing", "echo_spacing", "recovery", "acquisition"), "us"),
        **dict.fromkeys(("theta1", "theta2", "theta3", "phi1", "phi2", "phi3"), "degrees"),
        "nutation": "MHz",
        "n_echoes": "1",
    }

    nutation: PositiveFloat | None = None

    def _pulse(self, theta: float, phi: float) -> Pulse:
        duration = abs(theta) / 360 / self.nutation if self.nutation else 0.0
        return Pulse(theta=theta, phi=phi, duration=duration)


def _repeats(words: list[str]) -> int:
    """How often the first two of ``words`` come before anything else does."""
    pairs = zip(words[::2], words[1::2], strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair == (words[0], words[1]), pairs))
