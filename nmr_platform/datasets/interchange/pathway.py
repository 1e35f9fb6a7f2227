"""The coherence pathway of an echo: how long every moment has dephased, and with what phase the echo forms."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nmr_platform.physics import Experiment, Pulse

__all__ = ["Pathway", "pathway"]


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
    exp(2 i phi) M*, as an ideal 180 degree pulse does and as the refocused part of any other one does.

    Args:
        experiment: The sequence and its time grid.
        time: Times after the first pulse, us, shape (T,); a moment at a pulse counts as before it.

    Returns:
        The pathway at those times.
    """
    dephased, phase = np.array(time, dtype=np.float64), np.zeros(len(time))
    at, total, first = 0.0, 0.0, True
    for part in experiment.schedule:
        if not isinstance(part, Pulse):
            at, total = at + part * experiment.step, total + part * experiment.step
        elif first:
            phase[:] = np.deg2rad(part.phi) + (np.pi / 2 if np.sin(np.deg2rad(part.theta)) < 0 else -np.pi / 2)
            first = False
        else:
            later, total = time > at, -total
            dephased[later] = total + time[later] - at
            phase[later] = 2 * np.deg2rad(part.phi) - phase[later]
    return Pathway(dephased, phase)
