"""Cut the record M(t) around the echo, or take all of it, and average neighbouring samples into bins."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from nmr_platform.errors import ConfigurationError, DataError
from nmr_platform.features.base import StatelessTransformer

__all__ = ["RecordWindow", "WindowSpan", "check_window", "cut_out", "interval_table", "sample_intervals"]


@dataclass(frozen=True)
class WindowSpan:
    """The part of the record that a feature set looks at, as bins of equal width counted from the echo.

    Attributes:
        echo_index: Index of the echo in the record; the bin numbered zero begins there.
        before: Bins before the echo.
        after: Bins from the echo on.
        width: Samples in a bin.
    """

    echo_index: int
    before: int
    after: int
    width: int = 1

    @property
    def n_bins(self) -> int:
        """Number of bins."""
        return self.before + self.after

    @property
    def first(self) -> int:
        """Index of the window's first sample in the record."""
        return self.echo_index - self.before * self.width

    @property
    def stop(self) -> int:
        """Index of the first sample behind the window."""
        return self.echo_index + self.after * self.width

    @property
    def offsets(self) -> NDArray[np.int64]:
        """Samples from the echo to the first sample of each bin, shape (n_bins,)."""
        return np.arange(-self.before, self.after) * self.width


class RecordWindow(StatelessTransformer):
    """The samples of a window, or weighted means of neighbouring ones that do not alias.

    A bin of d samples is a mean of M(t), taken before any magnitude, with triangular weights that fall to zero d
    samples from the bin's middle: at half height they are as wide as the bin. Their transform is a squared sinc,
    zero at every multiple of the new sampling rate, which is what would otherwise fold onto slow signals. At the ends
    of the window the weights are cut and scaled to sum to one again.

    Args:
        span: Which samples, and how many make a bin.
    """

    def __init__(self, span: WindowSpan) -> None:
        self.span = span

    def transform(self, X: ArrayLike) -> NDArray[np.inexact]:
        """Cut the window out of every curve.

        Args:
            X: The raw records M(t), shape (n_curves, n_samples), real or complex.

        Returns:
            Shape (n_curves, n_bins), real or complex as the records are, in their precision.

        Raises:
            ConfigurationError: The window reaches outside the record, or ``X`` has not two axes.
            DataError: A value inside the window is not finite.
        """
        records, span = np.asarray(X), self.span
        if records.ndim == 2:
            check_window(span, records.shape[1])
        cut = cut_out(records, span.first, span.stop)
        return cut if span.width == 1 else _means(cut, span.width)

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:  # noqa: ARG002
        """Names ``m_<k>``, k samples from the echo; those of the record's samples, if it has any, do not matter."""
        return np.array([f"m_{offset}" for offset in self.span.offsets.tolist()], dtype=object)


def cut_out(m: NDArray[np.inexact], first: int, stop: int) -> NDArray[np.inexact]:
    """Some samples of every curve.

    Args:
        m: The records M(t), shape (n_curves, n_samples).
        first: The first sample.
        stop: The one behind the last.

    Returns:
        Shape (n_curves, stop - first), real or complex as the records are, in their precision.

    Raises:
        ConfigurationError: The records have not two axes.
        DataError: A value is not finite.
    """
    if m.ndim != 2:
        message = f"Argument `m` must have shape (n_curves, n_samples), but has shape {m.shape}."
        raise ConfigurationError(message, key="m", value=m.shape)
    cut = m[:, first:stop]
    faulty = ~np.isfinite(cut).all(axis=1)
    if faulty.any():
        message = f"Argument `m` must be finite around the echo, but curve {int(faulty.argmax())} is not."
        raise DataError(message)
    return cut.astype(np.result_type(cut.dtype, np.float32), copy=False)


def check_window(span: WindowSpan, n_samples: int) -> None:
    """Refuse a window that reaches outside the record, or that is empty.

    Args:
        span: The window.
        n_samples: Length of the record, in samples.

    Raises:
        ConfigurationError: With the half width, the echo's index and the record's length.
    """
    if span.first < 0 or span.stop > n_samples:
        half_width = max(span.before, span.after) * span.width
        message = (
            f"Argument `half_width` must keep the window inside the record, but {half_width} samples on each side "
            f"of echo index {span.echo_index} reach outside a record of {n_samples} samples."
        )
        raise ConfigurationError(message, key="half_width", value=half_width)
    if not (span.before and span.after):
        message = (
            f"Argument `decimate` must leave a bin on each side of the echo, but bins of {span.width} samples do not "
            f"fit a record of {n_samples} samples with the echo at index {span.echo_index}."
        )
        raise ConfigurationError(message, key="decimate", value=span.width)


def sample_intervals(span: WindowSpan, component: str, *, step: float) -> pd.DataFrame:
    """Where each sample of the window lies in time; a sample stands for the step around it, a bin for its samples.

    Args:
        span: The window.
        component: What M(t) is read as, for instance ``abs``, ``re`` or ``im``.
        step: Time between two samples of the record in us; sample k is at ``k * step``.

    Returns:
        One row a column: ``name`` (``abs_-150`` is 150 samples before the echo), ``component``, ``start`` and ``stop``
        (us), ``axis`` (``time``), ``power`` (none).
    """
    first = span.echo_index + span.offsets
    names = [f"{component}_{offset}" for offset in span.offsets.tolist()]
    return interval_table(names, component, (first - 0.5) * step, (first + span.width - 0.5) * step)


def interval_table(
    names: list[str], component: str, start: ArrayLike, stop: ArrayLike, axis: str = "time", power: object = pd.NA
) -> pd.DataFrame:
    """Where columns lie, as `WindowedFeatures.intervals` describes it.

    Args:
        names: Names of the columns, shape (n,).
        component: What M(t) is read as.
        start: Where each begins, shape (n,) or one for all; us, or MHz on the axis ``frequency``.
        stop: Where each ends, likewise.
        axis: ``time`` or ``frequency``.
        power: Power of a polynomial's coefficient, shape (n,); none for other features.
    """
    columns = {"name": names, "component": component, "start": start, "stop": stop, "axis": axis, "power": power}
    return pd.DataFrame(columns).astype({"power": "Int64"})


def _means(samples: NDArray[np.inexact], width: int) -> NDArray[np.inexact]:
    """Triangular means, shape (n_curves, n_samples // width)."""
    blocks = samples.reshape(len(samples), -1, width)
    position = np.arange(-width, 2 * width) - (width - 1) / 2
    weights = np.maximum(0, 1 - np.abs(position) / width) / width
    # Columns: what a block gives to the bin after it, to its own, and to the one before it.
    shares = sum(
        blocks[:, :, k, np.newaxis] * weights.reshape(3, width)[:, k].astype(samples.real.dtype) for k in range(width)
    )
    means = shares[:, :, 1].copy()
    means[:, 1:] += shares[:, :-1, 0]
    means[:, :-1] += shares[:, 1:, 2]
    inside = 1 - weights[:width].sum()
    total = np.ones(means.shape[1])
    total[0] -= 1 - inside
    total[-1] -= 1 - inside
    return means / total.astype(means.real.dtype)
