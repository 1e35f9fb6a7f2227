"""Measured echoes as data sets of one curve, corrected and resampled onto the time axes of their sequences."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Annotated, Any, Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.signal import firwin, resample_poly

from nmr_platform.datasets import Recorded, Reference, stretches_of, unrecorded
from nmr_platform.errors import ConfigurationError, DataError
from nmr_platform.exchange.curves.layout import curve_dataset
from nmr_platform.exchange.format import Option
from nmr_platform.exchange.records.corrections import Corrections, Since, beginning, correct, find_corrections
from nmr_platform.exchange.records.record import Record
from nmr_platform.physics import Experiment

__all__ = ["MAGNITUDE_ONLY", "Method", "Outside", "measured_curve", "measured_curves", "resample"]

Method = Literal["cubic", "bandlimited"]
Outside = Literal["refuse", "zero"]
MAGNITUDE_ONLY = "magnitude_only"
"""The attribute of a data set whose record had no phase: that of M is an ideal echo's throughout."""

# Points around the moment of an echo in which its height is looked for.
_NEAR = 3
# With it, the cubic spline between the finer points is exact to 1e-4 of any signal below the cut-off.
_FINER = 8
# Zero crossings of the interpolating function on either side, and the Kaiser window that ends it.
_CROSSINGS = 16
_KAISER_BETA = 8.0


def measured_curve(record: Record, experiment: Experiment, **corrections: Any) -> xr.Dataset:
    """Correct a measured record and resample it onto the time axis of an experiment.

    Args:
        record: The measurement.
        experiment: Its sequence and the wanted time step.
        corrections: See `measured_curves`.

    Returns:
        A data set of one curve, see `measured_curves`.
    """
    return measured_curves({"": (record, experiment)}, **corrections)[""]


def measured_curves(
    records: Mapping[str, tuple[Record, Experiment]],
    *,
    phase: Annotated[float | None, Option("zero-order phase, degrees; estimated by default")] = None,
    offset: Annotated[float | None, Option("frequency offset, MHz; estimated by default")] = None,
    scale: Annotated[float | None, Option("factor onto the simulation's unit, where 1/2 is full polarisation")] = None,
    conjugate: Annotated[bool, Option("spins turn the other way")] = False,
    method: Annotated[Method, Option("how it is resampled")] = "cubic",
    outside: Annotated[Outside, Option("what M is at times that were not recorded")] = "refuse",
    since: Annotated[Since, Option("which pulse `--start` counts from, or the last echo")] = "first",
) -> dict[str, xr.Dataset]:
    """Correct the records of one measurement and resample each onto the time axis of its experiment.

    One spectrometer measured one sample: phase, offset and scale are the same for all, and what is not given is
    estimated from the record whose echo is highest.

    Args:
        records: Each record, by name, and its sequence with the wanted time step.
        phase: Zero-order phase of the measurement, degrees; estimated from the echo by default.
        offset: Frequency offset of the measurement, MHz; estimated from the echo by default.
        scale: Factor onto the simulation's unit, where 1/2 is full polarisation; by default the echo becomes 1/2 high,
            a guess, which features that know heights refuse.
        conjugate: Whether the spectrometer's sense of rotation is opposite to this package's, where a spin with a
            positive offset turns as exp(-2 pi i offset t).
        method: See `resample`.
        outside: What M is where a record does not reach: ``refuse`` it, or ``zero``.
        since: What the records' times count from: the end of the first or ``last`` pulse, or the (last) ``echo``.

    Returns:
        For each name a data set of one curve in the store's layout, without parameters; attributes name the source,
        what it tells, and everything that was done. ``m_z`` is NaN.

    Raises:
        ConfigurationError: Something must be estimated, but the sequence has no echo; or a phase or frequency is given
            of a record of magnitudes alone.
        DataError: A record is too short for the axis, or has too few points on the echo.
    """
    turned: dict[str, tuple[Record, Experiment]] = {}
    for name, (record, experiment) in records.items():
        _refuse_lost(record, phase=phase is not None, offset=offset is not None, conjugate=conjugate)
        signal = record.signal.conj() if conjugate else record.signal
        start = record.start + beginning(experiment, since)
        turned[name] = replace(record, signal=signal, start=start), experiment
        _check_length(turned[name][0], experiment.time, outside)
    corrections = find_corrections(*_highest(turned), phase=phase, offset=offset, scale=scale)
    guesses: dict[Reference, bool] = {"height": scale is None, "phase": phase is None, "offset": offset is None}
    guessed = tuple(each for each, is_guess in guesses.items() if is_guess)
    done = {"conjugated": conjugate, "resampling": method, "correction_units": "phase degrees, offset MHz, times us"}
    return {name: _curve(*each, corrections, guessed, done) for name, each in turned.items()}


def _refuse_lost(record: Record, **given: bool) -> None:
    """Refuse what cannot be known of a record of magnitudes alone."""
    for name, is_given in given.items():
        if is_given and not record.has_phase:
            what = "which holds magnitudes alone; leave it out"
            message = f"Option `--{name}` has no meaning for `{record.source}`, {what}."
            raise ConfigurationError(message, key=name)


def _curve(
    record: Record,
    experiment: Experiment,
    corrections: Corrections,
    guessed: tuple[Reference, ...],
    done: Mapping[str, Any],
) -> xr.Dataset:
    """One record, corrected and on the axis of its experiment."""
    time = experiment.time
    recorded = _recorded(record, guessed)
    covered = recorded.covers(time)
    m = np.zeros(len(time), np.complex128)
    m[covered] = resample(correct(record, experiment, corrections), time[covered], done["resampling"])
    attributes = {
        "name": record.source.stem,
        "source": str(record.source),
        "source_format": record.source_format,
        "source_digest": hashlib.sha256(record.signal.tobytes()).hexdigest()[:16],
        **{f"source_{name}": value for name, value in {**record.details, **record.told.attributes()}.items()},
        **asdict(corrections),
        **done,
        **recorded.attributes(),
        **({} if record.has_phase else {MAGNITUDE_ONLY: True}),
        "experiment": experiment.model_dump_json(),
        "echo_index": experiment.echo_indices[-1] if experiment.echo_indices else -1,
        "step": experiment.step * experiment.receiver.every,
    }
    return curve_dataset(m[None], None, time, coordinates={}, attributes=attributes)


def _highest(records: Mapping[str, tuple[Record, Experiment]]) -> tuple[Record, Experiment]:
    """The record whose echo is highest, in the records' own unit; the first one without echoes."""

    def height(pair: tuple[Record, Experiment]) -> float:
        record, experiment = pair
        if not experiment.echo_indices:
            return 0.0
        echo = experiment.time[experiment.echo_indices[-1]]
        near = np.abs(record.time - echo) <= _NEAR * record.dwell
        return float(np.abs(record.signal[near]).max(initial=0.0))

    return max(records.values(), key=height)


def _recorded(record: Record, guessed: tuple[Reference, ...] = ()) -> Recorded:
    start, stop = float(record.time[0]), float(record.time[-1])
    return Recorded(guessed=guessed, start=start, stop=stop, dwell=record.dwell, gaps=_gaps(record))


def _check_length(record: Record, time: NDArray[np.float64], outside: Outside) -> None:
    """Refuse a record that does not reach over the time axis, or not at all."""
    recorded = _recorded(record)
    covered = recorded.covers(time)
    if outside == "refuse" and not covered.all():
        message = (
            f"`{record.source}` goes from {record.time[0]:.6g} to {record.time[-1]:.6g} us{_without(recorded.gaps)}, "
            "which is too short for the "
            f"time axis of the sequence, {time[0]:.6g} to {time[-1]:.6g} us; a shorter sequence, another `--start` or "
            "`--outside zero` would do."
        )
        raise DataError(message, path=record.source)
    if covered.sum() < 2:
        message = f"`{record.source}` has no points on the time axis of the sequence; is its start or unit right?"
        raise DataError(message, path=record.source)


def resample(record: Record, time: NDArray[np.float64], method: Method) -> NDArray[np.complex128]:
    """Signal of a record at other times within it.

    Args:
        record: The record.
        time: Evenly spaced times, us, shape (n,).
        method: ``cubic``: a cubic spline, local, for records sampled well above their bandwidth.
            ``bandlimited``: interpolation by a windowed sinc whose cut-off is half the lower of the two sampling
            rates, so that it is right up to nearly that frequency and noise above it does not fold back. Ringing of a
            few points surrounds jumps, such as a pulse or the ends of the record.

    Returns:
        The signal, complex, in the record's unit, shape (n,).

    Example:
        >>> from pathlib import Path
        >>> record = Record(np.exp(1j * np.arange(20) / 10), 0.0, 0.5, Path("echo.csv"), "csv")
        >>> m = resample(record, np.array([4.25, 4.5]), "cubic")
        >>> np.allclose(m, np.exp(1j * np.array([0.85, 0.9])), atol=1e-6)
        True
    """
    if method == "cubic":
        return CubicSpline(record.time, record.signal)(time)
    step = float(time[1] - time[0])
    cutoff = min(1.0, record.dwell / step)
    half_length = round(_CROSSINGS * _FINER / cutoff)
    window = firwin(2 * half_length + 1, cutoff / _FINER, window=("kaiser", _KAISER_BETA))
    # The point reflection at the ends keeps value and slope there.
    finer = resample_poly(record.signal, _FINER, 1, window=window, padtype="antireflect")
    finer_time = record.start + record.dwell / _FINER * np.arange(len(finer))
    return CubicSpline(finer_time, finer)(time)


def _gaps(record: Record) -> tuple[tuple[float, float], ...]:
    """Stretches of nothing but zeros, first and last moment of each, us."""
    silent = stretches_of(unrecorded(record.signal[None])[0])
    return tuple((float(record.time[first]), float(record.time[stop - 1])) for first, stop in silent)


def _without(gaps: tuple[tuple[float, float], ...]) -> str:
    shown = ", ".join(f"{first:.6g} to {last:.6g}" for first, last in gaps)
    return f" with zeros from {shown} us" if shown else ""
