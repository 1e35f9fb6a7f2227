"""What a measured echo shows by itself: noise, phase, offset, dead time, place of the echo and width of the line."""

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nmr_platform.datasets import stretches_of, unrecorded
from nmr_platform.errors import ConfigurationError, DataError
from nmr_platform.exchange import Corrections, Record, correct, find_corrections
from nmr_platform.physics import Experiment
from nmr_platform.schema import Schema

__all__ = ["Estimate", "Given", "Look", "echo_and_pulse", "look", "recorded"]

Source = Literal["measured", "given"]

# Fourth differences: a signal that the receiver samples well leaves next to nothing of itself in them.
_DIFFERENCES, _OF_WHITE_NOISE = 4, np.sqrt(70.0)
# From the median of absolute values to the standard deviation of a normal distribution.
_MEDIAN = 1.4826
# Standard error of that over sigma / sqrt(n): the median's own, and neighbouring differences share points.
_MEDIAN_ERROR = 1.5
# An echo lower than this many standard deviations of the noise is none.
_LEAST_ECHO = 5.0
# Share of the echo's height down to which its flanks are fitted.
_FLANK = 0.25
_FEWEST = 5
# Of these so many neighbour each other; and of a narrow one, all of them.
_TOGETHER, _NARROW = 4, 3


class Estimate(NamedTuple):
    """A number about a record.

    Attributes:
        value: In ``unit``.
        error: Standard error from the receiver's noise alone, in ``unit``; 0 where the number was given.
        unit: Its unit.
        source: Whether it was read off the record or given by the user.
    """

    value: float
    error: float
    unit: str
    source: Source = "measured"

    def __str__(self) -> str:
        error = f" +- {self.error:.2g}" if self.error else ""
        unit = f" {self.unit}" if self.unit else ""
        return f"{self.value:.4g}{error}{unit} ({self.source})"


class Given(Schema):
    """What the user knows, and nothing is estimated of.

    Attributes:
        phase: Zero-order phase, degrees.
        offset: Frequency offset, MHz.
        scale: Factor from the record's unit onto that of M, where 1/2 is full polarisation.
        noise: Standard deviation of the noise on each part, in the record's unit.
        dead_time: Points within it after a pulse are left out, us.
    """

    phase: float | None = None
    offset: float | None = None
    scale: float | None = None
    noise: float | None = None
    dead_time: float | None = None

    def of_simulated(self, noise: float) -> "Given":
        """What is known of a simulated record, whose receiver has no phase, no offset and the unit of M.

        Args:
            noise: Standard deviation of its noise, in the unit of M.
        """
        return self.replace(
            phase=None if self.phase is None else 0.0,
            offset=None if self.offset is None else 0.0,
            scale=None if self.scale is None else 1.0,
            noise=noise,
        )


@dataclass(frozen=True)
class Look:
    """A record and what it shows.

    Attributes:
        record: The record, zero where nothing was recorded.
        experiment: Its sequence; what else an experiment has does not matter.
        noise: Standard deviation of the noise on each part.
        height: Height of the echo: the root mean square of the part above half its maximum.
        phase: Zero-order phase.
        offset: Frequency offset.
        echo: Time of the echo, after the first pulse.
        line: Width of the line that an echo of free spins of this width would have: couplings change the echo, and
            this number with it.
        dead_time: Time from the last pulse before the echo to the first point after it.
        scale: Onto the unit of M; onto an echo 1/2 high where it was not given.
    """

    record: Record
    experiment: Experiment
    noise: Estimate
    height: Estimate
    phase: Estimate
    offset: Estimate
    echo: Estimate
    line: Estimate
    dead_time: Estimate
    scale: Estimate

    @property
    def estimates(self) -> dict[str, Estimate]:
        """The numbers by name."""
        found = {name: getattr(self, name) for name in type(self).__dataclass_fields__}
        return {name: each for name, each in found.items() if isinstance(each, Estimate)}

    @property
    def expected_echo(self) -> float:
        """Time of the echo that the sequence expects, us after the first pulse."""
        return echo_and_pulse(self.experiment)[0]

    @property
    def corrected(self) -> Record:
        """The record of M, with phase, offset and scale taken out, and zero where nothing was recorded."""
        taken_out = Corrections(self.phase.value, self.offset.value, self.scale.value)
        return correct(self.record, self.experiment, taken_out)

    @property
    def warnings(self) -> list[str]:
        """What of it does not fit the sequence, in sentences."""
        late, width = self.echo.value - self.expected_echo, 1 / (np.pi * self.line.value)
        if abs(late) <= max(width / 2, self.record.dwell, 3 * self.echo.error):
            return []
        return [
            f"The echo is at {self.echo.value:.5g} us, but the sequence expects it at {self.expected_echo:.5g} us: "
            "`--start`, `--since` or the key `sequence` may be wrong."
        ]


def look(record: Record, experiment: Experiment, given: Given | None = None) -> Look:
    """Read off a record what it shows by itself.

    Errors are those of the receiver's noise. What the couplings do to phase, offset and width is not in them; how far
    it misleads is found out on simulated records, at which one looks in the same way.

    Args:
        record: The measurement; times count from the end of the first pulse.
        experiment: The sequence that it was measured by, with at least one echo.
        given: What is known; all of the rest is read off the record.

    Returns:
        The numbers with their errors.

    Raises:
        ConfigurationError: The sequence has no echo.
        DataError: There is no echo in the record where the sequence expects it.
    """
    known = given or Given()
    echo, pulse = echo_and_pulse(experiment)
    record, live, noise = recorded(record, experiment, known)
    near = live & (np.abs(record.time - echo) <= (echo - pulse) / 2)
    top = _top(record, near, noise.value, echo)
    found = find_corrections(record, experiment, phase=known.phase, offset=known.offset, scale=known.scale)
    height = _height(record.signal[top], noise.value)
    phase_error, offset_error = _errors(record.time[top] - echo, record.signal[top], noise.value)
    centre, centre_error = _centre(record, _around_maximum(top, record), noise.value)
    narrowest = 1 / (np.pi * (echo - pulse))
    width, width_error = _width(record, near, centre, noise.value, experiment.line.kind, narrowest)
    scale = 0.5 / height.value if known.scale is None else known.scale
    return Look(
        record,
        experiment,
        noise=noise,
        height=height,
        phase=_told(known.phase, found.phase, phase_error, "degrees"),
        offset=_told(known.offset, found.offset, offset_error, "MHz"),
        echo=Estimate(centre, centre_error, "us"),
        line=Estimate(width, width_error, "MHz"),
        dead_time=_told(known.dead_time, float(record.time[live & (record.time > pulse)][0] - pulse), 0.0, "us"),
        scale=_told(known.scale, scale, scale * height.error / height.value, ""),
    )


def echo_and_pulse(experiment: Experiment) -> tuple[float, float]:
    """Times of the last echo that a sequence expects, and of the end of the last pulse before it, us.

    Raises:
        ConfigurationError: The sequence has no echo.
    """
    if not experiment.echo_indices:
        message = f"Key `sequence` must be of a sequence with an echo, but {experiment.sequence} has none."
        raise ConfigurationError(message, key="sequence")
    echo = float(experiment.time[experiment.echo_indices[-1]])
    return echo, max(at for at in _ends_of_pulses(experiment) if at < echo)


def recorded(record: Record, experiment: Experiment, known: Given) -> tuple[Record, NDArray[np.bool_], Estimate]:
    """The record as far as it counts, where it was recorded, and its noise."""
    record = _cut(record, experiment, known.dead_time)
    live = ~unrecorded(record.signal[None])[0]
    noise = _noise(record.signal, live) if known.noise is None else Estimate(known.noise, 0.0, "", "given")
    return record, live, noise


def _told(given: float | None, found: float, error: float, unit: str) -> Estimate:
    return Estimate(found, error, unit) if given is None else Estimate(given, 0.0, unit, "given")


def _ends_of_pulses(experiment: Experiment) -> list[float]:
    """When each pulse ends, us after the end of the first one."""
    first, *later = [block for block in experiment.sequence.timeline if block.label]
    return [0.0, *(block.start + block.duration - first.duration for block in later)]


def _cut(record: Record, experiment: Experiment, dead_time: float | None) -> Record:
    """The record as far as the sequence is simulated, zero within the dead times."""
    inside = np.flatnonzero((record.time >= 0) & (record.time <= experiment.time[-1]))
    if len(inside) < _FEWEST:
        message = (
            f"`{record.source}` goes from {record.time[0]:.6g} to {record.time[-1]:.6g} us, but the sequence from 0 to "
            f"{experiment.time[-1]:.6g} us: give `--start` or the right `sequence`."
        )
        raise DataError(message, path=record.source)
    kept = slice(inside[0], inside[-1] + 1)
    time, signal = record.time[kept], record.signal[kept].copy()
    for end in _ends_of_pulses(experiment) if dead_time else ():
        signal[(time >= end) & (time < end + (dead_time or 0.0))] = 0
    return replace(record, signal=signal, start=float(time[0]))


def _noise(signal: NDArray[np.complex128], live: NDArray[np.bool_]) -> Estimate:
    """The standard deviation that neighbouring points do not explain."""
    left = [np.diff(signal[first:stop], _DIFFERENCES) for first, stop in stretches_of(live)]
    parts = np.concatenate([np.concatenate([each.real, each.imag]) for each in left])
    sigma = float(_MEDIAN * np.median(np.abs(parts)) / _OF_WHITE_NOISE)
    return Estimate(sigma, _MEDIAN_ERROR * sigma / np.sqrt(len(parts)), "")


def _top(record: Record, near: NDArray[np.bool_], noise: float, echo: float) -> NDArray[np.bool_]:
    """Which points around the echo are above half its maximum."""
    magnitude = np.where(near, np.abs(record.signal), 0.0)
    top: NDArray[np.bool_] = (magnitude > 0) & (magnitude >= magnitude.max() / 2)
    # What is no echo but the noise of few spins has its high points here and there.
    together = len(_around_maximum(top, record)) if top.any() else 0
    has_many = top.sum() >= _FEWEST and together >= _TOGETHER
    is_narrow = _NARROW <= together == top.sum()
    if not (has_many or is_narrow) or magnitude.max() < _LEAST_ECHO * noise:
        message = (
            f"`{record.source}` must have an echo at {echo:.6g} us, where the sequence expects it, but |M| reaches "
            f"{magnitude.max():.3g} there with {top.sum()} points above half of it, {together} of them in a row, and "
            f"noise of {noise:.3g}: "
            "`--start`, `--since` or the key `sequence` may be wrong."
        )
        raise DataError(message, path=record.source)
    return top


def _height(top: NDArray[np.complex128], noise: float) -> Estimate:
    power = np.abs(top) ** 2
    height = float(np.sqrt(max(power.mean() - 2 * noise**2, power.mean() / 2)))
    return Estimate(height, noise / float(np.sqrt(len(top))), "")


def _errors(time: NDArray[np.float64], top: NDArray[np.complex128], noise: float) -> tuple[float, float]:
    """Standard errors of phase, degrees, and offset, MHz: of a straight line fitted to the phase, at ``time`` zero."""
    weights = np.abs(top) ** 2
    middle = float(np.average(time, weights=weights))
    spread = float((weights * (time - middle) ** 2).sum())
    offset = noise / np.sqrt(spread) / (2 * np.pi)
    phase = np.hypot(noise / np.sqrt(weights.sum()), 2 * np.pi * offset * middle)
    return float(np.rad2deg(phase)), float(offset)


def _around_maximum(points: NDArray[np.bool_], record: Record) -> NDArray[np.intp]:
    """Of the points those that neighbour each other up to the highest one: an echo may have come apart."""
    highest = int(np.where(points, np.abs(record.signal), 0.0).argmax())
    first, stop = next((first, stop) for first, stop in stretches_of(points) if first <= highest < stop)
    return np.arange(first, stop)


def _centre(record: Record, points: NDArray[np.intp], noise: float) -> tuple[float, float]:
    """Mean time of the echo above half its maximum, and its standard error, us."""
    time, power = record.time[points], np.abs(record.signal[points]) ** 2
    # Zero at half the maximum: a point more or less there must not matter.
    weights = np.maximum(power - power.max() / 4, 0.0)
    centre = float(np.average(time, weights=weights))
    error = 2 * noise * np.sqrt((power * (time - centre) ** 2).sum()) / weights.sum()
    return centre, float(error)


def _width(
    record: Record, near: NDArray[np.bool_], centre: float, noise: float, kind: str, narrowest: float
) -> tuple[float, float]:
    """Width of the line and its standard error, MHz: a straight line through log|M| of both flanks.

    The echo of a Lorentzian line decays as exp(-pi fwhm |t|), that of a Gaussian one as
    exp(-(pi fwhm t)^2 / (4 log 2)), t from the echo. The weights |M|^2 are those of least variance. What couplings have
    left of an echo may not decay at all: no line is narrower than ``narrowest``, whose free decay lasts until the next
    pulse.
    """
    magnitude = np.where(near, np.abs(record.signal), 0.0)
    high = (magnitude >= _FLANK * magnitude.max()) & (magnitude > _LEAST_ECHO * noise)
    flanks = _around_maximum(high, record)
    if len(flanks) < _TOGETHER:
        message = (
            f"`{record.source}` has {len(flanks)} points in a row on what is highest, at {centre:.6g} us, but an echo "
            f"needs {_TOGETHER}: `--start` may be wrong, or the time between points too long."
        )
        raise DataError(message, path=record.source)
    power = 2 if kind == "gaussian" else 1
    away = np.abs(record.time[flanks] - centre) ** power
    weights = magnitude[flanks] ** 2
    # The logarithm of a noisy magnitude is too large by sigma^2 / (2 |M|^2).
    logarithm = np.log(magnitude[flanks]) - noise**2 / (2 * weights)
    away = away - np.average(away, weights=weights)
    spread = float((weights * away**2).sum())
    slope = -float((weights * away * logarithm).sum()) / spread
    rate = max(slope, (np.pi * narrowest) ** power / (4 * np.log(2) if power == 2 else 1))
    error = noise / np.sqrt(spread)
    if power == 1:
        return rate / np.pi, float(error / np.pi)
    width = float(np.sqrt(4 * np.log(2) * rate) / np.pi)
    return width, float(width * error / (2 * rate))
