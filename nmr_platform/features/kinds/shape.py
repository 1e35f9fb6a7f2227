"""Statistics of the echo's shape and of the free decay: a few dozen columns that a physicist would measure by hand."""

from math import e
from typing import ClassVar, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from pydantic import model_validator

from nmr_platform import portable
from nmr_platform.datasets import Reference, Stretch
from nmr_platform.features.acquisition import Acquisition
from nmr_platform.features.base import StatelessTransformer, as_blocks, in_chunks
from nmr_platform.features.signals import HANGS_ON
from nmr_platform.features.statistics import (
    decay_rate,
    fall_time,
    mean_frequency,
    ratio,
    secondary_maximum,
    standardised_moments,
)
from nmr_platform.features.window import WindowSpan
from nmr_platform.features.windowed import WindowedFeatures

__all__ = ["EchoShape", "ShapeFeatures"]

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

# A maximum counts if it stands out by three times the root mean square of what the disorder leaves of |M|.
_PROMINENCE = 3.0

_ECHO = (
    "height",
    "height_time",
    "area",
    "centre",
    "width",
    "skewness",
    "kurtosis",
    "asymmetry",
    "half_width_left",
    "half_width_right",
    "rate_left",
    "rate_right",
    "n_maxima",
    "second_height",
    "second_time",
    "second_prominence",
)
_PHASE = ("cos", "sin", "slope", "curvature")
_DECAY = ("start", "area", "time", "rate", "background", "refocused")


class ShapeFeatures(WindowedFeatures):
    """What one would measure by hand: moments, widths, flanks and secondary maxima of the echo, and the free decay."""

    # Shapes of a logarithm or a phase say nothing.
    readable: ClassVar[tuple[str, ...]] = ("magnitude", "complex")
    # What the flanks of an echo need.
    fewest_samples: ClassVar[int] = 8

    kind: Literal["shape"] = "shape"

    @property
    def looks_around_the_echo(self) -> bool:
        """The echo is measured by itself, also in the whole record."""
        return True

    @property
    def needs_floor(self) -> bool:
        """A maximum must stand out from the disorder to count."""
        return True

    @property
    def hangs_weakly_on(self) -> frozenset[Reference]:
        """Phases and mean frequencies, columns of their own; docs/features.md has what a guess of them costs."""
        return HANGS_ON[self.signal]

    def stretches(self, span: WindowSpan) -> tuple[Stretch, ...]:
        """The echo and the free decay; bins share samples with their neighbours."""
        shared = span.width * (span.width > 1)
        reach = self.half_width // span.width * span.width
        echo = max(span.echo_index - reach - shared, span.first), min(span.echo_index + reach + shared, span.stop)
        if self.window == "echo":
            return (echo,)
        return (span.first, span.first + span.before // 2 * span.width + shared), echo

    @model_validator(mode="after")
    def _amplitude_is_kept(self) -> Self:
        if self.rescale:
            message = "Key `rescale` must not be given for shape features: those that depend on the amplitude say so."
            raise ValueError(message)
        return self

    def steps(self, span: WindowSpan, acquisition: Acquisition) -> list[tuple[str, StatelessTransformer]]:
        """The statistics, see `WindowedFeatures.steps`."""
        return [("shape", self._measured(span, acquisition, self.floor(acquisition)))]

    def places(self, span: WindowSpan, acquisition: Acquisition) -> list[pd.DataFrame]:
        """One row a statistic, see `WindowedFeatures.places`."""
        return [self._measured(span, acquisition).intervals()]

    def _measured(self, span: WindowSpan, acquisition: Acquisition, floor: float = 0.0) -> "EchoShape":
        return EchoShape(span, self.half_width, self.signal, self.window == "record", acquisition.step, floor)


class EchoShape(StatelessTransformer):
    """Position, width, symmetry and secondary maxima of the echo, its phase, and the free decay before it.

    Times count from the echo, in us; t and |M| are the samples of the echo's window, |M|^2 weights the moments, as
    that of the noise around the echo is small there.

    ====================== ==========================================================================================
    ``echo_height``,       largest |M| and its time
    ``echo_height_time``
    ``echo_area``          integral of |M|, us
    ``echo_centre``        mean time
    ``echo_width``         standard deviation of time (the root of the second moment)
    ``echo_skewness``,     third and fourth standardised moment of time
    ``echo_kurtosis``
    ``echo_asymmetry``     area after the echo minus area before it, over their sum
    ``echo_half_width_*``  from the maximum to the first time at which |M| is half as large, ``left`` and ``right``
    ``echo_rate_*``        decay rate -d log|M| / d|t| of the flank, 1/us: the slope of a line through log|M| that is
                           fitted with weights |M|^2
    ``echo_n_maxima``      how many maxima of |M| stand out by three times the floor of `disorder_floor`
    ``echo_second_*``      ``height``, ``time`` and ``prominence`` of the most prominent of them besides the largest;
                           height and prominence are zero, and the time that of the largest, where there is none
    ``phase_cos``, ``sin`` of the phase at the echo, relative to the first pulse
    ``phase_slope``        mean frequency sum Im(M* dM/dt) / (2 pi sum |M|^2), MHz
    ``phase_curvature``    slope of the phase after the echo minus that before it, MHz
    ``decay_start``        first |M|
    ``decay_area``         integral of |M| over the free decay over the first |M|: T2* of an exponential decay, us
    ``decay_time``         time at which |M| has first fallen to 1/e of the first, us
    ``decay_rate``         rate of the fitted line, 1/us
    ``decay_background``   root mean square of |M| in the second half of the free decay
    ``decay_refocused``    height of the echo over the first |M|
    ``decay_slope``        mean frequency during the free decay, MHz
    ====================== ==========================================================================================

    Statistics of the decay need the whole record; those of phase and slope the complex signal. The free decay lasts
    from the first sample to half-way to the echo, where a Hahn echo has its second pulse. A width that is not reached
    inside the window ends at the window's end. Where |M| is zero throughout, every statistic is zero but the cosine.

    Args:
        span: The window that the samples are from.
        half_width: Samples of the record on each side of the echo that belong to it.
        signal: ``magnitude``, or ``complex`` (real parts, then imaginary parts).
        record: Whether the window is the whole record, with the free decay.
        step: Time between two samples of the record in us.
        floor: Magnitude that the disorder leaves, in units of M.
    """

    def __init__(
        self,
        span: WindowSpan,
        half_width: int,
        signal: str = "magnitude",
        record: bool = False,
        step: float = 1.0,
        floor: float = 0.0,
    ) -> None:
        self.span = span
        self.half_width = half_width
        self.signal = signal
        self.record = record
        self.step = step
        self.floor = floor

    def transform(self, X: ArrayLike) -> NDArray[np.float32]:
        """Measure every curve.

        Args:
            X: |M|, shape (n_curves, n), or the parts of M, shape (n_curves, 2 n).

        Returns:
            Shape (n_curves, n_features), float32.

        Raises:
            ConfigurationError: ``X`` has another width.
        """
        return in_chunks(as_blocks(X, 1 if self.signal == "magnitude" else 2, self.span.n_bins), self._columns)

    def _columns(self, blocks: NDArray[np.float64]) -> Real:
        m = blocks[:, 0] + 1j * blocks[:, 1] if self.signal == "complex" else blocks[:, 0].astype(np.complex128)
        echo, decay, step = self._echo, slice(0, self._decay_stop), self.span.width * self.step
        times = self.span.offsets.astype(np.float64) * self.step
        magnitude: Real = portable.magnitude(m)
        columns = _echo_columns(magnitude[:, echo], times[echo], self.floor)
        if self.signal == "complex":
            columns += _phase_columns(m[:, echo], times[echo])
        if self.record:
            columns += _decay_columns(magnitude[:, decay], step, height=columns[0])
        if self.record and self.signal == "complex":
            columns.append(mean_frequency(m[:, decay], step))
        return np.stack(columns, axis=1)

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:  # noqa: ARG002
        """Names ``echo_<statistic>``, then ``phase_<statistic>``, then ``decay_<statistic>``."""
        return self.intervals()["name"].to_numpy(dtype=object)

    def intervals(self) -> pd.DataFrame:
        """Where each statistic is measured, one row a column of the table, as `sample_intervals` describes.

        Those of one flank lie on its side of the echo, all others of the echo in the whole of its window.
        """
        is_complex = self.signal == "complex"
        echo = self.span.offsets[self._echo]
        left, right = (int(echo[0]), 0), (0, int(echo[-1]) + self.span.width)
        flanks = {"left": left, "right": right}
        whole = (left[0], right[1])
        places = [("abs", f"echo_{name}", flanks.get(name.rpartition("_")[2], whole)) for name in _ECHO]
        if is_complex:
            places += [("phase", f"phase_{name}", whole) for name in _PHASE]
        if self.record:
            first, stop = self.span.offsets[0], self.span.offsets[self._decay_stop]
            places += [("abs", f"decay_{name}", (int(first), int(stop))) for name in _DECAY]
            places += [("phase", "decay_slope", (int(first), int(stop)))] * is_complex
        rows = [
            {
                "name": name,
                "component": component,
                "start": (self.span.echo_index + start - 0.5) * self.step,
                "stop": (self.span.echo_index + stop - 0.5) * self.step,
                "axis": "time",
                "power": pd.NA,
            }
            for component, name, (start, stop) in places
        ]
        return pd.DataFrame(rows).astype({"power": "Int64"})

    @property
    def _echo(self) -> slice:
        """Columns of the echo."""
        reach = self.half_width // self.span.width
        return slice(self.span.before - reach, self.span.before + reach)

    @property
    def _decay_stop(self) -> int:
        """The column behind the free decay."""
        return self.span.before // 2


def _integral(magnitude: Real, step: float) -> Real:
    return np.asarray(np.trapezoid(magnitude, dx=step, axis=1))


def _echo_columns(magnitude: Real, time: Real, floor: float) -> list[Real]:
    """The statistics of |M| around the echo, in the order of their names."""
    step, rows = time[1] - time[0], np.arange(len(magnitude))
    largest = magnitude.argmax(axis=1)
    height = magnitude[rows, largest]
    left, right = time <= 0, time >= 0
    area, before, after = (_integral(magnitude[:, part], step) for part in (slice(None), left, right))
    turned = magnitude[:, ::-1], magnitude.shape[1] - 1 - largest
    number, second, second_height, prominence = secondary_maximum(magnitude, _PROMINENCE * floor)
    return [
        height,
        time[largest],
        area,
        *standardised_moments(magnitude**2, time),
        ratio(after - before, area),
        fall_time(turned[0], time, turned[1], height / 2),
        fall_time(magnitude, time, largest, height / 2),
        decay_rate(magnitude[:, left], -time[left]),
        decay_rate(magnitude[:, right], time[right]),
        number,
        second_height,
        time[second],
        prominence,
    ]


def _phase_columns(m: Complex, time: Real) -> list[Real]:
    """The statistics of the phase around the echo, in the order of their names."""
    step = time[1] - time[0]
    phase = portable.angle(m[:, np.abs(time).argmin()])
    before, after = mean_frequency(m[:, time <= 0], step), mean_frequency(m[:, time >= 0], step)
    return [portable.cos(phase), portable.sin(phase), mean_frequency(m, step), after - before]


def _decay_columns(magnitude: Real, step: float, *, height: Real) -> list[Real]:
    """The statistics of |M| during the free decay, in the order of their names."""
    start, time = magnitude[:, 0], np.arange(magnitude.shape[1], dtype=np.float64) * step
    first = np.zeros(len(magnitude), dtype=np.int64)
    return [
        start,
        ratio(_integral(magnitude, step), start),
        fall_time(magnitude, time, first, start / e),
        decay_rate(magnitude, time),
        np.sqrt((magnitude[:, len(time) // 2 :] ** 2).mean(axis=1)),
        ratio(height, start),
    ]
