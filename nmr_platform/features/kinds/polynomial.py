"""Multiscale polynomial features: a cubic fit in each of 4, 5 and 10 equal bins, as one constant matrix product."""

import operator
from fractions import Fraction
from functools import lru_cache
from math import lcm
from typing import ClassVar, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from nmr_platform import portable
from nmr_platform.features.acquisition import Acquisition
from nmr_platform.features.base import StatelessTransformer, as_blocks, in_chunks
from nmr_platform.features.kinds.frequency import SpectralFeatures, spectrum_length
from nmr_platform.features.window import WindowSpan, interval_table, sample_intervals
from nmr_platform.features.windowed import WindowedFeatures

__all__ = ["DEGREE", "N_SPLITS", "PolynomialBins", "PolynomialFeatures", "PolynomialFrequencyFeatures"]

N_SPLITS = (4, 5, 10)
DEGREE = 3
# Bins are equal only if every number of splits divides the length.
_UNIT = lcm(*N_SPLITS)
_SHORTEST_RECORD = -(-max(N_SPLITS) * (DEGREE + 1) // _UNIT) * _UNIT


class PolynomialFeatures(WindowedFeatures):
    """Cubic fits in 4, 5 and 10 bins of the window, for |M| under the reference's own names."""

    fewest_samples: ClassVar[int] = _SHORTEST_RECORD

    kind: Literal["polynomial"] = "polynomial"

    @property
    def prefixes(self) -> tuple[str, ...]:
        """Prefix of the names of each component's columns."""
        return tuple("" if part == "abs" else f"{part}_" for part in self.components)

    def steps(self, span: WindowSpan, acquisition: Acquisition) -> list[tuple[str, StatelessTransformer]]:
        """The fits, see `WindowedFeatures.steps`."""
        del acquisition
        return [("polynomial", PolynomialBins(span.n_bins, self.prefixes))]

    def places(self, span: WindowSpan, acquisition: Acquisition) -> list[pd.DataFrame]:
        """One row a coefficient, see `WindowedFeatures.places`."""
        samples = [sample_intervals(span, component, step=acquisition.step) for component in self.components]
        return [_bin_intervals(*part) for part in zip(samples, self.prefixes, strict=True)]


class PolynomialFrequencyFeatures(SpectralFeatures):
    """Cubic fits in 4, 5 and 10 bins of the echo's spectrum."""

    kind: Literal["polynomial_frequency"] = "polynomial_frequency"

    @property
    def prefixes(self) -> tuple[str, ...]:
        """Prefix of the names of each component's columns."""
        return tuple("f_" if part == "abs" else f"{part}_f_" for part in self.components)

    def steps(self, span: WindowSpan, acquisition: Acquisition) -> list[tuple[str, StatelessTransformer]]:
        """The fits of the spectrum, see `WindowedFeatures.steps`."""
        fits = PolynomialBins(spectrum_length(span.n_bins), self.prefixes)
        return [*super().steps(span, acquisition), ("polynomial", fits)]

    def places(self, span: WindowSpan, acquisition: Acquisition) -> list[pd.DataFrame]:
        """One row a coefficient, see `WindowedFeatures.places`."""
        frequencies = super().places(span, acquisition)
        return [_bin_intervals(*part) for part in zip(frequencies, self.prefixes, strict=True)]


class PolynomialBins(StatelessTransformer):
    """Coefficients of cubic fits in 4, 5 and 10 equal bins: 76 columns for each component.

    The basis is the reference's (arXiv 2110.06811, code of 2021): in a bin of L samples the cubic is
    ``c3 x^3 + c2 x^2 + c1 x + c0`` on ``x = arange(L) - L // 2``, so coefficients are per sample step and centred on
    the bin's middle. Column ``<n_splits>_<bin>_<power>`` is the coefficient of ``x^power``; bins count from 1 and
    powers run from 3 to 0. A length that 4, 5 and 10 do not all divide is cut to its middle: 300 samples are used
    as they are, 800 of a spectrum of 812.

    Args:
        n_samples: Samples of each component.
        prefixes: One prefix for each component's names, for instance ``("re_", "im_")``.
    """

    def __init__(self, n_samples: int, prefixes: tuple[str, ...] = ("",)) -> None:
        self.n_samples = n_samples
        self.prefixes = prefixes

    def transform(self, X: ArrayLike) -> NDArray[np.float32]:
        """Fit every bin of every curve by least squares.

        Args:
            X: Shape (n_curves, n_components * n_samples), component after component.

        Returns:
            Shape (n_curves, n_components * 76), float32.

        Raises:
            ConfigurationError: ``X`` has another width.
        """
        return in_chunks(as_blocks(X, len(self.prefixes), self.n_samples), self._columns)

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:  # noqa: ARG002
        """Names ``<prefix><n_splits>_<bin>_<power>``."""
        names = [
            f"{prefix}{n_splits}_{number}_{power}"
            for prefix in self.prefixes
            for n_splits, number, power in _bins_and_powers()
        ]
        return np.array(names, dtype=object)

    def _columns(self, blocks: NDArray[np.float64]) -> NDArray[np.float64]:
        coefficients = portable.product(blocks.reshape(-1, self.n_samples), _projection(self.n_samples))
        return coefficients.reshape(len(blocks), -1)


def _bin_intervals(samples: pd.DataFrame, prefix: str) -> pd.DataFrame:
    """Where each coefficient's bin lies, given where one component's fitted samples lie; power is that of x."""
    first, length = _middle(len(samples))
    columns = _bins_and_powers()
    begin = [first + (number - 1) * length // n_splits for n_splits, number, _ in columns]
    end = [first + number * length // n_splits - 1 for n_splits, number, _ in columns]
    return interval_table(
        [f"{prefix}{n_splits}_{number}_{power}" for n_splits, number, power in columns],
        str(samples["component"].iloc[0]),
        samples["start"].to_numpy()[begin],
        samples["stop"].to_numpy()[end],
        str(samples["axis"].iloc[0]),
        [power for *_, power in columns],
    )


def _bins_and_powers() -> list[tuple[int, int, int]]:
    """The columns in order: number of splits, number of the bin from 1, power."""
    return [
        (n_splits, number, power)
        for n_splits in N_SPLITS
        for number in range(1, n_splits + 1)
        for power in range(DEGREE, -1, -1)
    ]


def _middle(n_samples: int) -> tuple[int, int]:
    """First sample and length of the longest middle part that all bins divide."""
    length = n_samples // _UNIT * _UNIT
    return (n_samples - length) // 2, length


@lru_cache(maxsize=8)
def _projection(n_samples: int) -> NDArray[np.float64]:
    """The matrix that takes a row of samples to its coefficients, shape (n_samples, 76): a pseudo-inverse per bin."""
    first, length = _middle(n_samples)
    columns = []
    for n_splits in N_SPLITS:
        width = length // n_splits
        fit = _least_squares(width)
        for number in range(n_splits):
            placed = np.zeros((n_samples, DEGREE + 1))
            placed[first + number * width : first + (number + 1) * width] = fit.T
            columns.append(placed)
    matrix = np.concatenate(columns, axis=1)
    matrix.setflags(write=False)
    return matrix


def _least_squares(width: int) -> NDArray[np.float64]:
    """Pseudo-inverse (V^T V)^-1 V^T of the Vandermonde matrix V of one bin, shape (4, width), highest power first.

    In fractions, and so exact before it is rounded: x^3 and 1 differ by five orders of magnitude.
    """
    samples = [Fraction(x) for x in range(-(width // 2), width - width // 2)]
    columns = [[x**power for x in samples] for power in range(DEGREE, -1, -1)]
    rows = [[sum(map(operator.mul, one, other)) for other in columns] + one for one in columns]
    # Gauss and Jordan: (V^T V | V^T) becomes (1 | pseudo-inverse).
    for i in range(len(rows)):
        pivot = [value / rows[i][i] for value in rows[i]]
        rows = [
            pivot if j == i else [a - row[i] * b for a, b in zip(row, pivot, strict=True)] for j, row in enumerate(rows)
        ]
    return np.array([[float(value) for value in row[DEGREE + 1 :]] for row in rows])
