"""Random convolutions: how much of each of many random patterns, at every time scale, is in the echo.

In the style of ROCKET and MultiRocket (A. Dempster, F. Petitjean, G. I. Webb, Data Mining and Knowledge Discovery 34,
1454, 2020, doi 10.1007/s10618-020-00701-z; C. W. Tan et al., the same 36, 1623, 2022, doi 10.1007/s10618-022-00844-1),
written here from the articles. They count the places at which a response exceeds a bias that is learnt from training
curves. Here nothing is learnt and nothing jumps: responses are averaged, above and below zero, in segments of the
window.
"""

from functools import lru_cache
from typing import Annotated, ClassVar, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from nmr_platform import portable
from nmr_platform.features.acquisition import Acquisition
from nmr_platform.features.base import StatelessTransformer, as_blocks, in_chunks
from nmr_platform.features.window import WindowSpan, interval_table, sample_intervals
from nmr_platform.features.windowed import WindowedFeatures
from nmr_platform.schema import Seed

__all__ = ["ConvolutionFeatures", "RandomConvolutions", "dilations", "random_kernels"]

Real = NDArray[np.float64]

_LENGTH = 9
# Kernels of neighbouring samples then have a place for each of 8 segments.
_FEWEST = 16
_KERNELS, _SEGMENTS, _SEED = 64, 4, 0
_ENDS = ("pos", "neg")


class ConvolutionFeatures(WindowedFeatures):
    """Mean positive and mean negative response of random kernels of many widths, by segments of the window.

    Attributes:
        kernels: Random kernels for each dilation.
        segments: Equal parts of the window that are averaged apart. One tells what is in the window and not where, so
            that importances have no place of their own.
        seed: Of the kernels.
    """

    fewest_samples: ClassVar[int] = _FEWEST

    kind: Literal["convolutions"] = "convolutions"
    kernels: Annotated[int, Field(ge=1, le=512)] = _KERNELS
    segments: Annotated[int, Field(ge=1, le=8)] = _SEGMENTS
    seed: Seed = _SEED

    @property
    def components(self) -> tuple[str, ...]:
        """The real signals that M(t) is read as.

        Positive and negative responses are told apart for each signal by itself, so that those of |M| do not follow
        from those of its parts: it is added to the signal ``complex``.
        """
        return super().components + (("abs",) if self.signal == "complex" else ())

    @property
    def own_name(self) -> list[str]:
        """For instance ``k16`` for 16 kernels, ``p1`` for one segment and ``s3`` for the seed 3."""
        own = (("k", self.kernels, _KERNELS), ("p", self.segments, _SEGMENTS), ("s", self.seed, _SEED))
        return [f"{letter}{number}" for letter, number, usual in own if number != usual]

    def steps(self, span: WindowSpan, acquisition: Acquisition) -> list[tuple[str, StatelessTransformer]]:
        """The convolutions, see `WindowedFeatures.steps`."""
        del acquisition
        return [("convolutions", self._convolutions(span))]

    def places(self, span: WindowSpan, acquisition: Acquisition) -> list[pd.DataFrame]:
        """One row a mean, see `WindowedFeatures.places`."""
        samples = [sample_intervals(span, part, step=acquisition.step) for part in self.components]
        return [self._convolutions(span).intervals(each) for each in samples]

    def _convolutions(self, span: WindowSpan) -> "RandomConvolutions":
        return RandomConvolutions(span.n_bins, self.components, self.kernels, self.segments, self.seed)


class RandomConvolutions(StatelessTransformer):
    """Mean positive and mean negative response of every kernel in every segment.

    A kernel is nine weights, drawn from a normal distribution, less their mean, over the sum of their sizes. At the
    dilation d its response to the samples x is r(t) = sum_i w_i x(t + i d), at all places t where it lies inside the
    window; dilations are 1, 2, 4, ... as long as a kernel is no longer than half the window. The places are cut into
    equal segments. Column ``<component>_<dilation>_<kernel>_<segment>_pos`` is the mean of max(r, 0) over a segment,
    ``..._neg`` that of min(r, 0), both in units of x; kernels and segments count from 1.

    Nothing responds to a signal that is constant, whose columns are zero.

    Args:
        n_samples: Samples of each component, 16 at least.
        components: Their names.
        kernels: Kernels for each dilation.
        segments: Segments, 8 at most.
        seed: Of the weights.
    """

    def __init__(
        self,
        n_samples: int,
        components: tuple[str, ...] = ("abs",),
        kernels: int = _KERNELS,
        segments: int = _SEGMENTS,
        seed: int = _SEED,
    ) -> None:
        self.n_samples = n_samples
        self.components = components
        self.kernels = kernels
        self.segments = segments
        self.seed = seed

    def transform(self, X: ArrayLike) -> NDArray[np.float32]:
        """Convolve every curve with every kernel.

        Args:
            X: Shape (n_curves, n_components * n_samples), component after component.

        Returns:
            Shape (n_curves, n_features), float32.

        Raises:
            ConfigurationError: ``X`` has another width.
        """
        return in_chunks(as_blocks(X, len(self.components), self.n_samples), self._columns)

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:  # noqa: ARG002
        """Names ``<component>_<dilation>_<kernel>_<segment>_<pos or neg>``."""
        return np.array([name for part in self.components for name in self._names(part)], dtype=object)

    def intervals(self, samples: pd.DataFrame) -> pd.DataFrame:
        """Where the samples lie that each column is computed of, one row a column of one component.

        Args:
            samples: Where those of the component lie, as `sample_intervals` describes it.
        """
        component, columns_a_segment = str(samples["component"].iloc[0]), len(_ENDS) * self.kernels
        first, last = [], []
        for dilation in dilations(self.n_samples):
            reach = (_LENGTH - 1) * dilation
            edges = np.arange(self.segments + 1) * (self.n_samples - reach) // self.segments
            first.append(np.repeat(edges[:-1], columns_a_segment))
            last.append(np.repeat(edges[1:] - 1 + reach, columns_a_segment))
        start = samples["start"].to_numpy()[np.concatenate(first)]
        return interval_table(
            self._names(component), component, start, samples["stop"].to_numpy()[np.concatenate(last)]
        )

    def _names(self, component: str) -> list[str]:
        return [
            f"{component}_{dilation}_{kernel + 1}_{segment + 1}_{end}"
            for dilation in dilations(self.n_samples)
            for segment in range(self.segments)
            for end in _ENDS
            for kernel in range(self.kernels)
        ]

    def _columns(self, blocks: Real) -> NDArray[np.float32]:
        signals = blocks.reshape(-1, self.n_samples)
        # Kernels do not see a constant, but their weights add up to zero but for rounding.
        signals = signals - signals[:, :1]
        steps = np.array(dilations(self.n_samples))
        out = np.empty((len(signals), len(steps), self.segments, len(_ENDS), self.kernels), np.float32)
        _convolve(signals, random_kernels(len(steps), self.kernels, self.seed), steps, out)
        return out.reshape(len(blocks), -1)


def dilations(n_samples: int) -> tuple[int, ...]:
    """Steps between the samples that a kernel looks at, 1, 2, 4, ..., of kernels no longer than half the window.

    Args:
        n_samples: Samples of the window, 16 at least.

    Example:
        >>> dilations(300)
        (1, 2, 4, 8, 16)
    """
    longest = max((n_samples // 2 - 1) // (_LENGTH - 1), 1)
    return tuple(2**power for power in range(longest.bit_length()))


@lru_cache(maxsize=8)
def random_kernels(n_dilations: int, n_kernels: int, seed: int) -> Real:
    """Weights that add up to zero and whose sizes add up to one, shape (n_dilations, 9, n_kernels).

    Args:
        n_dilations: Dilations, each with kernels of its own.
        n_kernels: Kernels for each.
        seed: Of the draw.
    """
    weights = np.random.default_rng(seed).standard_normal((n_dilations, _LENGTH, n_kernels))
    weights -= weights.mean(axis=1, keepdims=True)
    weights /= np.abs(weights).sum(axis=1, keepdims=True)
    weights.setflags(write=False)
    return weights


@portable.compiled(nogil=True)
def _convolve(x: Real, kernels: Real, steps: NDArray[np.int64], out: NDArray[np.float32]) -> None:
    """Fill the columns of every row of ``x``, in the order of their names; see `RandomConvolutions`."""
    length, n_kernels = kernels.shape[1:]
    segments = out.shape[2]
    above, below = np.empty(n_kernels), np.empty(n_kernels)
    for row in range(len(x)):
        for level in range(len(steps)):
            step = steps[level]
            n = x.shape[1] - (length - 1) * step
            for segment in range(segments):
                first, stop = segment * n // segments, (segment + 1) * n // segments
                above[:], below[:] = 0.0, 0.0
                for t in range(first, stop):
                    _respond(x[row, t : t + (length - 1) * step + 1 : step], kernels[level], above, below)
                out[row, level, segment, 0] = above / (stop - first)
                out[row, level, segment, 1] = below / (stop - first)


@portable.compiled(nogil=True)
def _respond(x: Real, kernels: Real, above: Real, below: Real) -> None:
    """Add the responses of all kernels at one place; the loop over kernels compiles to vector instructions."""
    x0, x1, x2, x3, x4, x5, x6, x7, x8 = x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], x[8]
    w0, w1, w2, w3, w4 = kernels[0], kernels[1], kernels[2], kernels[3], kernels[4]
    w5, w6, w7, w8 = kernels[5], kernels[6], kernels[7], kernels[8]
    for k in range(len(above)):
        response = w0[k] * x0 + w1[k] * x1 + w2[k] * x2 + w3[k] * x3 + w4[k] * x4
        response = response + w5[k] * x5 + w6[k] * x6 + w7[k] * x7 + w8[k] * x8
        above[k] += max(response, 0.0)
        below[k] += min(response, 0.0)
