"""The coherence pathway of an echo: how long every moment has dephased, and with what phase the echo forms."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nmr_platform.errors import ConfigurationError
from nmr_platform.physics import Experiment, Pulse, ShapedPulse

__all__ = ["Pathway", "last_pulse_before", "pathway"]


class Pathway(NamedTuple):
    """Transverse magnetisation that every pulse after the first refocuses.

    A line shifted by an offset nu (MHz) multiplies it by exp(-2 pi i nu dephased), which is one at every echo.

    Attributes:
        dephased: Time of free precession less the time undone by refocusing, us, shape (T,).
        phase: Phase without offset, coupling and dissipation, radians, shape (T,).
    """

    dephased: NDArray[np.float64]
    phase: NDArray[np.float64]


def pathway(experiment: Experiment, time: NDArray[np.float64]) -> Pathway:
    """Follow the echo's pathway through the sequence.

    The first pulse about phi1 leaves -i exp(i phi1) sin(theta1) / 2; each later pulse about phi turns M into
    exp(2 i phi) M*, as an ideal 180 degree pulse does and as the refocused part of any other one does. A later pulse
    that takes time acts in its middle.

    Args:
        experiment: The sequence and its time grid.
        time: Times after the first pulse, us, shape (T,); a moment at a pulse counts as before it.

    Returns:
        The pathway at those times.

    Raises:
        ConfigurationError: A pulse is shaped, so that its phase is no single number.
    """
    pulses = _pulses(experiment)
    dephased, phase = np.array(time, dtype=np.float64), np.zeros(len(time))
    first = pulses[0][1]
    phase[:] = np.deg2rad(first.phi) + (np.pi / 2 if np.sin(np.deg2rad(first.theta)) < 0 else -np.pi / 2)
    before, total = 0.0, 0.0
    for at, pulse in pulses[1:]:
        later, total, before = time > at, -(total + at - before), at
        dephased[later] = total + time[later] - at
        phase[later] = 2 * np.deg2rad(pulse.phi) - phase[later]
    return Pathway(dephased, phase)


def last_pulse_before(experiment: Experiment, time: float) -> float:
    """When the last pulse before ``time`` acts, both in us after the end of the first pulse."""
    return max((at for at, _ in _pulses(experiment) if at < time), default=0.0)


def _pulses(experiment: Experiment) -> list[tuple[float, Pulse]]:
    """When every pulse acts, us after the end of the first one, and the pulse."""
    found: list[tuple[float, Pulse]] = []
    at = 0.0
    for part in experiment.recording.schedule:
        if isinstance(part, ShapedPulse):
            message = "The sequence has a shaped pulse, but measured echoes are corrected for rectangular ones only."
            raise ConfigurationError(message, key="sequence")
        if isinstance(part, Pulse):
            found.append((at + part.duration / 2 if found else 0.0, part))
            at += part.duration if len(found) > 1 else 0.0
        else:
            at += part * experiment.step
    return found
