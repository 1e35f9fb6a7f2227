"""Phase, frequency offset and amplitude of a measured echo: estimated or given, and taken out along its pathway."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nmr_platform.errors import ConfigurationError, DataError
from nmr_platform.exchange.records.record import Record
from nmr_platform.physics import Experiment, Pulse, ShapedPulse

__all__ = ["Corrections", "Pathway", "Since", "beginning", "correct", "find_corrections", "pathway"]

Since = Literal["first", "last", "echo"]

# An echo as high as in a simulation that starts fully polarised, where nothing better is known.
_FULL_POLARISATION = 0.5
# A straight line through the phase has two numbers.
_FEWEST_POINTS = 3


@dataclass(frozen=True)
class Corrections:
    """What distinguishes a measured signal from the simulation's.

    The measured signal is M(t) exp(i phase + 2 pi i offset d(t)) / scale, d(t) the time that the echo's pathway has
    dephased: t before the refocusing pulse, and t less the time of the echo after it.

    Attributes:
        phase: Zero-order phase, degrees.
        offset: Frequency at which the phase grows around the echo, MHz.
        scale: Factor from the measured unit to that of M, where 1/2 is full polarisation.
    """

    phase: float
    offset: float
    scale: float


def find_corrections(
    record: Record,
    experiment: Experiment,
    *,
    phase: float | None = None,
    offset: float | None = None,
    scale: float | None = None,
) -> Corrections:
    """Estimate from the echo what is not given.

    The phase around the echo is fitted by a straight line, weighted by |M|^2 over the points above half the maximum:
    its slope is the offset; its value where the echo has refocused, less that of an ideal echo, is the phase. What
    the couplings themselves do to the phase at the echo is taken out with it; give calibrated values to keep it.

    Args:
        record: The measured signal.
        experiment: The sequence; its last echo is used.
        phase: Zero-order phase to use, degrees.
        offset: Frequency offset to use, MHz.
        scale: Factor to use, from the record's unit to that of M; by default the one that makes the echo 1/2 high.

    Returns:
        The corrections.

    Raises:
        ConfigurationError: Something must be estimated, but the sequence has no echo.
        DataError: The record has too few points around the echo.
    """
    if phase is not None and offset is not None and scale is not None:
        return Corrections(phase, offset, scale)
    around = _points_around_echo(record, experiment)
    signal, weights = record.signal[around], np.abs(record.signal[around]) ** 2
    path = pathway(experiment, record.time[around])
    if offset is None:
        products = signal[1:] * signal[:-1].conj() * (np.diff(around) == 1)
        coarse = float(np.angle(products.sum()) / (2 * np.pi * record.dwell))
        offset = coarse + _slope(signal * np.exp(-1j * (2 * np.pi * coarse * path.dephased)), path.dephased, weights)
    if phase is None:
        aligned = signal * np.exp(-1j * (2 * np.pi * offset * path.dephased + path.phase))
        phase = float(np.rad2deg(np.angle((aligned * np.abs(signal)).sum())))
    if scale is None:
        scale = _FULL_POLARISATION / float(np.abs(signal).max())
    return Corrections(phase, offset, scale)


def correct(record: Record, experiment: Experiment, corrections: Corrections) -> Record:
    """Take the corrections out of a record.

    Args:
        record: The measured signal.
        experiment: The sequence.
        corrections: What to take out.

    Returns:
        The record of M, dimensionless, 1/2 for full polarisation.
    """
    turned = 2 * np.pi * corrections.offset * pathway(experiment, record.time).dephased
    factors = corrections.scale * np.exp(-1j * (turned + np.deg2rad(corrections.phase)))
    return record.with_signal(record.signal * factors)


def beginning(experiment: Experiment, since: Since) -> float:
    """The moment that times are counted from, us after the end of the first pulse.

    Args:
        experiment: The sequence.
        since: The end of the ``first`` or ``last`` pulse, or the (last) ``echo``.

    Raises:
        ConfigurationError: There is no echo, or a pulse is shaped.
    """
    if since == "first":
        return 0.0
    if since == "echo":
        return _last_echo(experiment, "so `since` cannot be `echo`")
    at, pulse = _pulses(experiment)[-1]
    return at + pulse.duration / 2 if at else at


def _last_echo(experiment: Experiment, otherwise: str) -> float:
    """When the last echo is, us after the end of the first pulse; ``otherwise`` is for the sentence."""
    if not experiment.echo_indices:
        message = f"The sequence has no `echo_times`, {otherwise}."
        raise ConfigurationError(message, key="sequence.echo_times")
    return float(experiment.time[experiment.echo_indices[-1]])


def _points_around_echo(record: Record, experiment: Experiment) -> NDArray[np.intp]:
    """Indices of the points that lie within half the refocusing time of the last echo and above half its maximum."""
    echo = _last_echo(experiment, "so `phase`, `offset` and `scale` must be given")
    near = np.abs(record.time - echo) <= (echo - _last_pulse_before(experiment, echo)) / 2
    magnitude = np.where(near, np.abs(record.signal), 0.0)
    around = np.flatnonzero((magnitude > 0) & (magnitude >= magnitude.max() / 2))
    if len(around) < _FEWEST_POINTS:
        message = (
            f"`{record.source}` has {len(around)} points on the echo at {echo:.6g} us, but {_FEWEST_POINTS} are needed "
            f"to correct its phase; the record goes from {record.time[0]:.6g} to {record.time[-1]:.6g} us."
        )
        raise DataError(message, path=record.source)
    return around


def _slope(signal: NDArray[np.complex128], time: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """Frequency left in a signal that hardly turns, by weighted least squares on its phase, MHz."""
    phases = np.angle(signal * np.exp(-1j * np.angle((signal * np.sqrt(weights)).sum())))
    centred = time - np.average(time, weights=weights)
    return float((weights * centred * phases).sum() / (weights * centred**2).sum() / (2 * np.pi))


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


def _last_pulse_before(experiment: Experiment, time: float) -> float:
    """When the last pulse before ``time`` acts, both in us after the end of the first pulse."""
    return max((at for at, _ in _pulses(experiment) if at < time), default=0.0)


def _pulses(experiment: Experiment) -> list[tuple[float, Pulse]]:
    """When every pulse acts, us after the end of the first one, and the pulse."""
    acting: list[tuple[float, Pulse]] = []
    at = 0.0
    for part in experiment.recording.schedule:
        if isinstance(part, ShapedPulse):
            message = "The sequence has a shaped pulse, but measured echoes are corrected for rectangular ones only."
            raise ConfigurationError(message, key="sequence")
        if isinstance(part, Pulse):
            acting.append((at + part.duration / 2 if acting else 0.0, part))
            at += part.duration if len(acting) > 1 else 0.0
        else:
            at += part * experiment.step
    return acting
