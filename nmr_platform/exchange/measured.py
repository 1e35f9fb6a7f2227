"""A measured echo as a data set of one curve, on the time axis of a sequence."""

import hashlib
from typing import Any, Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from nmr_platform.errors import DataError
from nmr_platform.exchange.corrections import correct, find_corrections
from nmr_platform.exchange.layout import curve_dataset
from nmr_platform.exchange.record import Record
from nmr_platform.exchange.resampling import Method, resample
from nmr_platform.physics import Experiment

__all__ = ["Outside", "measured_curve"]

Outside = Literal["refuse", "zero"]


def measured_curve(
    record: Record,
    experiment: Experiment,
    *,
    phase: float | None = None,
    offset: float | None = None,
    scale: float | None = None,
    conjugate: bool = False,
    method: Method = "cubic",
    outside: Outside = "refuse",
) -> xr.Dataset:
    """Correct a measured record and resample it onto the time axis of an experiment.

    Args:
        record: The measurement, its times counted from the first pulse.
        experiment: Its sequence and the wanted time step.
        phase: Zero-order phase of the measurement, degrees; estimated from the echo by default.
        offset: Frequency offset of the measurement, MHz; estimated from the echo by default.
        scale: Factor onto the simulation's unit, where 1/2 is full polarisation; by default the echo becomes 1/2 high.
        conjugate: Whether the spectrometer's sense of rotation is opposite to this package's, where a spin with a
            positive offset turns as exp(-2 pi i offset t).
        method: See `resample`.
        outside: What M is where the record does not reach: ``refuse`` it, or ``zero``.

    Returns:
        A data set of one curve in the store's layout, without parameters; attributes name the source and everything
        that was done. ``m_z`` is NaN.

    Raises:
        ConfigurationError: Something must be estimated, but the sequence has no echo.
        DataError: The record is too short for the axis, or has too few points on the echo.
    """
    time = experiment.time
    covered = _covered(record, time)
    if outside == "refuse" and not covered.all():
        message = (
            f"`{record.source}` goes from {record.time[0]:.6g} to {record.time[-1]:.6g} us, which is too short for the "
            f"time axis of the sequence, {time[0]:.6g} to {time[-1]:.6g} us; a shorter sequence, another start or "
            "zeros outside would do."
        )
        raise DataError(message, path=record.source)
    if covered.sum() < 2:
        message = f"`{record.source}` has no points on the time axis of the sequence; is its start or unit right?"
        raise DataError(message, path=record.source)
    turned = record.with_signal(record.signal.conj()) if conjugate else record
    corrections = find_corrections(turned, experiment, phase=phase, offset=offset, scale=scale)
    m = np.zeros(len(time), np.complex128)
    m[covered] = resample(correct(turned, experiment, corrections), time[covered], method)
    done: dict[str, Any] = {
        "phase": corrections.phase,
        "phase_estimated": phase is None,
        "offset": corrections.offset,
        "offset_estimated": offset is None,
        "scale": corrections.scale,
        "scale_estimated": scale is None,
        "conjugated": conjugate,
        "resampling": method,
        "recorded_from": float(record.time[0]),
        "recorded_to": float(record.time[-1]),
        "dwell": record.dwell,
        "correction_units": "phase degrees, offset MHz, times us",
    }
    return curve_dataset(
        m[None],
        None,
        time,
        coordinates={},
        attributes={
            "name": record.source.stem,
            "source": str(record.source),
            "source_format": record.source_format,
            "source_digest": hashlib.sha256(record.signal.tobytes()).hexdigest()[:16],
            **{f"source_{name}": value for name, value in record.details.items()},
            **done,
            "experiment": experiment.model_dump_json(),
            "echo_index": experiment.echo_indices[-1] if experiment.echo_indices else -1,
            "step": experiment.step * experiment.receiver.every,
        },
    )


def _covered(record: Record, time: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which of the times the record reaches; half a point beyond its ends is near enough."""
    margin = record.dwell / 2
    return (time >= record.time[0] - margin) & (time <= record.time[-1] + margin)
