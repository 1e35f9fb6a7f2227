"""Multi-scale quantiles: how the values in ever shorter stretches of the echo, its differences and its spectrum spread.

The method is QUANT (A. Dempster, D. F. Schmidt, G. I. Webb, Data Mining and Knowledge Discovery 38, 2024,
doi 10.1007/s10618-024-01036-9), written here from the article.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Literal

import numpy as np
import pandas as pd
import scipy.fft
from numpy.typing import ArrayLike, NDArray

from nmr_platform import portable
from nmr_platform.features.acquisition import Acquisition
from nmr_platform.features.base import StatelessTransformer, as_blocks, in_chunks
from nmr_platform.features.window import WindowSpan, sample_intervals
from nmr_platform.features.windowed import WindowedFeatures

__all__ = ["DyadicQuantiles", "QuantileFeatures", "dyadic_intervals"]

_DEPTH = 6
_DIVISOR = 4
_SMOOTHING = 5


@dataclass(frozen=True)
class _Place:
    """One interval: its series and label, its points, and the probabilities of its quantiles."""

    prefix: str
    label: str
    start: int
    stop: int
    probabilities: tuple[float, ...]


class QuantileFeatures(WindowedFeatures):
    """QUANT: quantiles over dyadic intervals of the signals, their differences and their spectrum."""

    # Second differences must leave something to take a quantile of.
    fewest_samples: ClassVar[int] = 4

    kind: Literal["quantiles"] = "quantiles"

    @property
    def components(self) -> tuple[str, ...]:
        """The real signals that M(t) is read as.

        The values of each signal are sorted by themselves, so that those of |M| do not follow from those of its parts:
        they are added to the signal ``complex``.
        """
        return super().components + (("abs",) if self.signal == "complex" else ())

    def steps(self, span: WindowSpan, acquisition: Acquisition) -> list[tuple[str, StatelessTransformer]]:
        """The quantiles, see `WindowedFeatures.steps`."""
        del acquisition
        return [("quantiles", DyadicQuantiles(span.n_bins, self.components))]

    def places(self, span: WindowSpan, acquisition: Acquisition) -> list[pd.DataFrame]:
        """One row a quantile, see `WindowedFeatures.places`."""
        return [_quantile_intervals(sample_intervals(span, part, step=acquisition.step)) for part in self.components]


class DyadicQuantiles(StatelessTransformer):
    """Quantiles over dyadic intervals of a signal, its first and second differences and its spectrum.

    Level l of a series cuts it into 2^l equal parts, and for l > 0 also into the 2^l - 1 parts that are shifted by half
    a part. An interval of m points gives 1 + (m - 1) // 4 quantiles at equidistant probabilities from 0 to 1 (the
    median, if there is only one), interpolated linearly between sorted values. From every second of them the mean
    of the interval is subtracted. There are six levels, or as many as leave a point in every part.

    The series of a component x of n samples, all in units of x:

    * x itself: ``<component>_...``;
    * its first differences, averaged over five neighbours (end points repeated): ``<component>_d1_...``;
    * its second differences: ``<component>_d2_...``;
    * the magnitude of its discrete Fourier transform, frequencies from zero up: ``<component>_f_...``.

    Column ``abs_d1_8_2.5_q0.25`` is the lower quartile of the smoothed first differences of |M| half-way between the
    second and the third eighth of the window; ``-mean`` at the end of a name says that the interval's mean was
    subtracted.

    Args:
        n_samples: Samples of each component, 4 at least.
        components: Their names.
        depth: Number of levels.
        divisor: Points of an interval for one more quantile.
    """

    def __init__(
        self, n_samples: int, components: tuple[str, ...] = ("abs",), depth: int = _DEPTH, divisor: int = _DIVISOR
    ) -> None:
        self.n_samples = n_samples
        self.components = components
        self.depth = depth
        self.divisor = divisor

    def transform(self, X: ArrayLike) -> NDArray[np.float32]:
        """Sort every interval of every curve and read its quantiles.

        Args:
            X: Shape (n_curves, n_components * n_samples), component after component.

        Returns:
            Shape (n_curves, n_features), float32.

        Raises:
            ConfigurationError: ``X`` has another width.
        """
        return in_chunks(as_blocks(X, len(self.components), self.n_samples), self._columns)

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:  # noqa: ARG002
        """Names ``<component>_<series><parts>_<number>_q<probability>``, with ``-mean`` where it was subtracted."""
        places = _places(self.n_samples, self.depth, self.divisor)
        names = [name for component in self.components for place in places for name in _names(component, place)]
        return np.array(names, dtype=object)

    def _columns(self, blocks: NDArray[np.float64]) -> NDArray[np.float32]:
        places = _places(self.n_samples, self.depth, self.divisor)
        components = [_series(blocks[:, number]) for number in range(len(self.components))]
        columns = [_quantiles(series[place.prefix], place) for series in components for place in places]
        return np.concatenate(columns, axis=1)


def dyadic_intervals(length: int, depth: int = _DEPTH) -> list[tuple[str, int, int]]:
    """The intervals of a series, level by level: equal parts first, then those shifted by half a part.

    Args:
        length: Points of the series, at least one.
        depth: Number of levels wanted; fewer are made if parts would be empty.

    Returns:
        Label, first point, and the point after the last. Labels are ``<parts>_<number>``; parts count from 1, and
        ``8_2.5`` lies half-way between the second and third of eight.
    """
    intervals = []
    for level in range(min(depth, length.bit_length())):
        parts = 2**level
        # Halves of parts, so that shifted parts begin and end on the odd ones.
        edges = np.arange(2 * parts + 1) * length // (2 * parts)
        equal = [(f"{parts}_{n + 1}", edges[2 * n], edges[2 * n + 2]) for n in range(parts)]
        # Shifted by half a point, parts would be the same again.
        n_shifted = parts - 1 if length >= 2 * parts else 0
        shifted = [(f"{parts}_{n + 1}.5", edges[2 * n + 1], edges[2 * n + 3]) for n in range(n_shifted)]
        intervals += [(label, int(start), int(stop)) for label, start, stop in equal + shifted]
    return intervals


def _quantile_intervals(samples: pd.DataFrame) -> pd.DataFrame:
    """Where each quantile's interval lies, given where one component's samples lie.

    That is in time, or in frequency for those of the spectrum; the smoothing of first differences is no width.
    """
    component = samples["component"].iloc[0]
    start, stop = samples["start"].to_numpy(), samples["stop"].to_numpy()
    width = 1 / (stop[-1] - start[0])
    rows = []
    for place in _places(len(samples), _DEPTH, _DIVISOR):
        if place.prefix == "f_":
            row = {"start": (place.start - 0.5) * width, "stop": (place.stop - 0.5) * width, "axis": "frequency"}
        else:
            # A difference lies between its sample and the first or second one after it.
            reach = {"": 0, "d1_": 1, "d2_": 2}[place.prefix]
            row = {"start": start[place.start], "stop": stop[place.stop - 1 + reach], "axis": "time"}
        rows += [{"name": name, "component": component, **row, "power": pd.NA} for name in _names(component, place)]
    return pd.DataFrame(rows).astype({"power": "Int64"})


@lru_cache(maxsize=8)
def _places(n_samples: int, depth: int, divisor: int) -> tuple[_Place, ...]:
    """The intervals of all series of a component in the order of the columns."""
    lengths = {"": n_samples, "d1_": n_samples - 1, "d2_": n_samples - 2, "f_": n_samples // 2 + 1}
    return tuple(
        _Place(prefix, label, start, stop, _probabilities(stop - start, divisor))
        for prefix, length in lengths.items()
        for label, start, stop in dyadic_intervals(length, depth)
    )


def _names(component: str, place: _Place) -> list[str]:
    return [
        f"{component}_{place.prefix}{place.label}_q{probability:.4g}{'-mean' if rank % 2 else ''}"
        for rank, probability in enumerate(place.probabilities)
    ]


def _probabilities(n_points: int, divisor: int) -> tuple[float, ...]:
    n_quantiles = 1 + (n_points - 1) // divisor
    return tuple(np.linspace(0, 1, n_quantiles).tolist()) if n_quantiles > 1 else (0.5,)


def _series(signal: NDArray[np.float64]) -> dict[str, NDArray[np.float32]]:
    """The series of one component by prefix, from its samples of shape (n_curves, n_samples)."""
    first = np.diff(signal, axis=1)
    edge = _SMOOTHING // 2
    padded = np.pad(first, ((0, 0), (edge, edge)), mode="edge")
    smooth = sum(padded[:, k : k + first.shape[1]] for k in range(_SMOOTHING)) / _SMOOTHING
    spectrum = portable.magnitude(scipy.fft.rfft(signal, axis=1))
    series = {"": signal, "d1_": smooth, "d2_": np.diff(first, axis=1), "f_": spectrum}
    # Single precision sorts twice as fast, and is what the columns have.
    return {prefix: np.asarray(values, dtype=np.float32) for prefix, values in series.items()}


def _quantiles(series: NDArray[np.float32], place: _Place) -> NDArray[np.float32]:
    """Quantiles of one interval, shape (n_curves, n_quantiles)."""
    ordered = np.sort(series[:, place.start : place.stop], axis=1)
    position = np.array(place.probabilities) * (ordered.shape[1] - 1)
    below = np.minimum(position.astype(int), max(ordered.shape[1] - 2, 0))
    above = np.minimum(below + 1, ordered.shape[1] - 1)
    share = (position - below).astype(np.float32)
    values: NDArray[np.float32] = ordered[:, below] * (1 - share) + ordered[:, above] * share
    values[:, 1::2] -= ordered.mean(axis=1, keepdims=True)
    return values
