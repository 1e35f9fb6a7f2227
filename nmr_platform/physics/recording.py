"""A sequence on the time grid: when samples are taken, and which of them the receiver keeps."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nmr_platform.physics.sequences import Delay, Pulse, SequenceBase, ShapedPulse
from nmr_platform.physics.spectrometer import Receiver

__all__ = ["Recording"]

# Half a millionth of a step: times that are equal but for rounding.
_SLACK = 5e-7


@dataclass(frozen=True)
class Recording:
    """The samples of a sequence.

    The first sample is at t = 0, just after the first pulse; then one follows every step of every delay, the last step
    of the record excepted: as many samples as the delays have steps. Nothing is recorded during a pulse. A sample that
    falls on the beginning of a pulse is taken before it.

    Attributes:
        schedule: Pulses, and numbers of steps between them.
        times: Time of every sample after the end of the first pulse, us, shape (n_steps,).
        kept: Samples that the receiver keeps, in order, shape (n_samples,).
        nominal: Ends of the pulses and delays as asked for, us after the end of the first pulse.
        rounded: The same on the time grid.
    """

    schedule: tuple[Pulse | ShapedPulse | int, ...]
    times: NDArray[np.float64]
    kept: NDArray[np.int64]
    nominal: NDArray[np.float64]
    rounded: NDArray[np.float64]

    @classmethod
    def of(cls, sequence: SequenceBase, receiver: Receiver, step: float) -> "Recording":
        """Lay a sequence on the time grid.

        Args:
            sequence: Pulses and delays.
            receiver: Which samples are kept.
            step: Time step and sampling interval before the receiver, us.
        """
        schedule: list[Pulse | ShapedPulse | int] = []
        times: list[NDArray[np.float64]] = [np.zeros(1)]
        since_pulse: list[NDArray[np.float64]] = [np.zeros(1)]
        nominal, rounded, quiet = [0.0], [0.0], 0.0
        for number, part in enumerate(sequence.parts):
            if not isinstance(part, Delay):
                schedule.append(part)
                quiet = 0.0
                length = part.duration if number else 0.0
                nominal.append(nominal[-1] + length)
                rounded.append(rounded[-1] + length)
                continue
            n_steps = round(part.duration / step)
            ticks = np.arange(1, n_steps + 1, dtype=np.float64) * step
            schedule.append(n_steps)
            times.append(rounded[-1] + ticks)
            since_pulse.append(quiet + ticks)
            quiet += n_steps * step
            nominal.append(nominal[-1] + part.duration)
            rounded.append(rounded[-1] + n_steps * step)
        live = np.concatenate(since_pulse)[:-1] >= receiver.dead_time - _SLACK * step
        kept = np.flatnonzero(live[:: receiver.every]) * receiver.every
        return cls(tuple(schedule), np.concatenate(times)[:-1], kept, np.array(nominal), np.array(rounded))

    @property
    def n_steps(self) -> int:
        """Samples before the receiver, and steps of all delays."""
        return self.times.size

    @property
    def end(self) -> float:
        """End of the sequence as asked for, us after the end of the first pulse."""
        return float(self.nominal[-1])

    def on_grid(self, time: float) -> float:
        """Where a nominal time (us) falls after the delays were rounded to whole steps, us."""
        return float(np.interp(time, self.nominal, self.rounded))
