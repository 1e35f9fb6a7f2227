"""Phase, frequency offset and amplitude of a measured echo: estimated or given, and taken out."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nmr_platform.errors import ConfigurationError, DataError
from nmr_platform.exchange.pathway import last_pulse_before, pathway
from nmr_platform.exchange.record import Record
from nmr_platform.physics import Experiment

__all__ = ["Corrections", "correct", "find_corrections"]

# An echo as high as in a simulation that starts fully polarised, where nothing better is known.
_FULL_POLARISATION = 0.5
_FEWEST_POINTS = 5


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
        scale: Factor to use; by default the one that makes the echo 1/2 high.

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
        The record of M.
    """
    turned = 2 * np.pi * corrections.offset * pathway(experiment, record.time).dephased
    factors = corrections.scale * np.exp(-1j * (turned + np.deg2rad(corrections.phase)))
    return record.with_signal(record.signal * factors)


def _points_around_echo(record: Record, experiment: Experiment) -> NDArray[np.intp]:
    """Indices of the points that lie within half the refocusing time of the last echo and above half its maximum."""
    if not experiment.echo_indices:
        message = "The sequence has no `echo_times`, so `phase`, `offset` and `scale` must be given."
        raise ConfigurationError(message, key="sequence.echo_times")
    echo = experiment.time[experiment.echo_indices[-1]]
    near = np.abs(record.time - echo) <= (echo - last_pulse_before(experiment, echo)) / 2
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
