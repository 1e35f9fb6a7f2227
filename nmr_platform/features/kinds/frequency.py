"""Frequency features: the spectrum of the echo, smoothly cut out, zero-padded and phased at the echo's centre."""

from typing import ClassVar, Literal, Self

import numpy as np
import pandas as pd
import scipy.fft
from numpy.typing import ArrayLike, NDArray
from pydantic import model_validator

from nmr_platform import portable
from nmr_platform.features.acquisition import Acquisition
from nmr_platform.features.base import StatelessTransformer, as_blocks, in_chunks
from nmr_platform.features.window import WindowSpan, interval_table
from nmr_platform.features.windowed import WindowedFeatures

__all__ = ["FrequencyFeatures", "SpectralFeatures", "SpectrumTransformer", "echo_envelope", "spectrum_length"]

_PADDING = 2**8
# The reference's envelope, 1/(1 + exp(-0.35 (t - 35))) and its mirror image on a window of 300^2/948 units of t,
# written as fractions of the window so that other widths keep its shape.
_EDGE = 35 * 948 / 300**2
_STEEPNESS = 0.35 * 300**2 / 948


class SpectralFeatures(WindowedFeatures):
    """What kinds that look at the spectrum of the echo share: signals and windows that have one."""

    # Spectra of a logarithm or a phase say nothing.
    readable: ClassVar[tuple[str, ...]] = ("magnitude", "complex", "aligned")

    @model_validator(mode="after")
    def _window_fades(self) -> Self:
        if self.window == "record":
            message = f"Key `window` must be echo for {self.kind} features, whose envelope fades in and out around it."
            raise ValueError(message)
        return self

    def longest_dwell(self, acquisition: Acquisition) -> float | None:
        """At most the samples' own step: spectra reach to half their rate, where resampling makes everything up."""
        longest = super().longest_dwell(acquisition)
        return acquisition.step * self.decimate if longest is None else min(longest, acquisition.step * self.decimate)

    def steps(self, span: WindowSpan, acquisition: Acquisition) -> list[tuple[str, StatelessTransformer]]:
        """The spectrum, see `WindowedFeatures.steps`."""
        del acquisition
        return [("spectrum", SpectrumTransformer(span.n_bins, self.components))]

    def places(self, span: WindowSpan, acquisition: Acquisition) -> list[pd.DataFrame]:
        """One row a frequency, see `WindowedFeatures.places`."""
        step = span.width * acquisition.step
        return [spectrum_intervals(span.n_bins, component, step=step) for component in self.components]


class FrequencyFeatures(SpectralFeatures):
    """The spectrum of the echo: |Im S| of a magnitude, the signed parts of S of a complex signal."""

    kind: Literal["frequency"] = "frequency"


class SpectrumTransformer(StatelessTransformer):
    """Spectrum of the window after a two-sided sigmoid envelope and 2^8 zeros on each side.

    Time zero of the transform is the echo, so that an echo symmetric in time has a real spectrum.

    * For |M| (one component) the columns are |Im S(f)| of the real signal, the reference's choice: the part of the
      echo that is odd in time. 812 columns ``abs_f<k>`` for 300 samples.
    * For the complex signal (two components) S(f) is the spectrum of M = re + i im itself, and the columns are its
      real parts ``re_f<k>`` and then its imaginary parts ``im_f<k>``, with their signs: positive and negative
      frequencies differ there, and nothing of the phase is lost.

    k counts frequencies from zero, negative ones first, in steps of ``1 / (n step)``.

    Args:
        n_samples: Samples of each component in the window.
        components: ``("abs",)`` or ``("re", "im")``.
    """

    def __init__(self, n_samples: int, components: tuple[str, ...] = ("abs",)) -> None:
        self.n_samples = n_samples
        self.components = components

    def transform(self, X: ArrayLike) -> NDArray[np.float32]:
        """Transform every curve.

        Args:
            X: Shape (n_curves, n_components * n_samples), component after component.

        Returns:
            Shape (n_curves, n_components * (n_samples + 512)), float32, in units of M times samples.

        Raises:
            ConfigurationError: ``X`` has another width.
        """
        return in_chunks(as_blocks(X, len(self.components), self.n_samples), self._columns)

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:  # noqa: ARG002
        """Names ``<component>_f<k>``."""
        names = [name for part in self.components for name in _spectrum_names(self.n_samples, part)]
        return np.array(names, dtype=object)

    def _columns(self, blocks: NDArray[np.float64]) -> NDArray[np.float64]:
        faded = blocks * echo_envelope(self.n_samples)
        if len(self.components) == 1:
            return np.abs(_spectrum(faded[:, 0]).imag)
        spectrum = _spectrum(faded[:, 0] + 1j * faded[:, 1])
        return np.concatenate([spectrum.real, spectrum.imag], axis=1)


def echo_envelope(n_samples: int) -> NDArray[np.float64]:
    """The two-sided sigmoid that fades a window in and out, shape (n_samples,), symmetric, between 0 and 1."""
    position = np.linspace(0, 1, n_samples)
    rise = 1 / (1 + portable.exp(-_STEEPNESS * (position - _EDGE)))
    envelope: NDArray[np.float64] = rise * rise[::-1]
    return envelope


def spectrum_length(n_samples: int) -> int:
    """Number of frequencies of a window of ``n_samples`` samples."""
    return n_samples + 2 * _PADDING


def spectrum_intervals(n_samples: int, component: str, *, step: float) -> pd.DataFrame:
    """Where each frequency lies.

    Args:
        n_samples: Samples in the window.
        component: ``abs``, ``re`` or ``im``.
        step: Time between two samples in us.

    Returns:
        One row a frequency: ``name``, ``component``, ``start`` and ``stop`` (MHz), ``axis`` (``frequency``), ``power``.
    """
    length = spectrum_length(n_samples)
    width = 1 / (length * step)
    orders = np.arange(length) - length // 2
    names = _spectrum_names(n_samples, component)
    return interval_table(names, component, (orders - 0.5) * width, (orders + 0.5) * width, "frequency")


def _spectrum_names(n_samples: int, component: str) -> list[str]:
    length = spectrum_length(n_samples)
    return [f"{component}_f{order - length // 2}" for order in range(length)]


def _spectrum(windows: NDArray[np.inexact]) -> NDArray[np.complex128]:
    padded = np.pad(windows, ((0, 0), (_PADDING, _PADDING)))
    spectrum: NDArray[np.complex128] = scipy.fft.fft(scipy.fft.ifftshift(padded, axes=1), axis=1)
    return np.asarray(scipy.fft.fftshift(spectrum, axes=1))
