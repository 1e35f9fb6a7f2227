"""Spectra of the echo: sizes, symmetries and closed forms."""

import numpy as np
import pytest

from nmr_platform.errors import ConfigurationError
from nmr_platform.features import Acquisition, FrequencyFeatures
from nmr_platform.features.kinds.frequency import SpectrumTransformer, echo_envelope

OFFSETS = np.arange(300) - 150


def test_a_window_of_300_samples_gives_812_frequencies():
    spectrum = SpectrumTransformer(300)
    assert spectrum.transform(np.ones((2, 300))).shape == (2, 812)
    names = spectrum.get_feature_names_out()
    assert (names[0], names[406], names[-1]) == ("abs_f-406", "abs_f0", "abs_f405")


def test_envelope_is_the_published_sigmoid_and_its_mirror_image():
    t = np.linspace(0, 300 * 300 / 948, 300)
    sigmoid = 1 / (1 + np.exp(-0.35 * (t - 35)))
    np.testing.assert_allclose(echo_envelope(300), sigmoid * sigmoid[::-1], rtol=1e-12)


def test_an_echo_even_in_time_has_no_imaginary_spectrum():
    even = np.exp(-((OFFSETS / 20.0) ** 2)) / np.maximum(echo_envelope(300), 1e-6)
    assert SpectrumTransformer(300).transform(even[np.newaxis]).max() < 1e-3


def test_magnitude_spectrum_is_the_sine_transform_about_the_echo():
    window = np.random.default_rng(7).normal(size=300)
    frequencies = np.arange(-406, 406) / 812
    waves = np.sin(2 * np.pi * frequencies[:, np.newaxis] * OFFSETS)
    expected = np.abs(waves @ (window * echo_envelope(300)))
    found = SpectrumTransformer(300).transform(window[np.newaxis])[0]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("order", [-50, 0, 7, 120])
def test_a_rotating_signal_peaks_at_its_own_frequency_and_sign(order):
    signal = np.exp(2j * np.pi * order * OFFSETS / 812)
    columns = np.concatenate([signal.real, signal.imag])[np.newaxis]
    spectrum = SpectrumTransformer(300, ("re", "im"))
    found = spectrum.transform(columns)[0]
    peak = int(found[:812].argmax())
    assert spectrum.get_feature_names_out()[peak] == f"re_f{order}"
    assert found[peak] == pytest.approx(echo_envelope(300).sum(), rel=1e-6)
    assert abs(found[812 + peak]) < 1e-3


def test_frequencies_are_in_megahertz_and_centred_on_zero():
    feature_set = FrequencyFeatures(signal="magnitude")
    intervals = feature_set.intervals(Acquisition(echo_index=1256, step=0.5, n_samples=1884)).set_index("name")
    zero = intervals.loc["abs_f0"]
    assert zero["start"] == pytest.approx(-zero["stop"])
    assert zero["stop"] - zero["start"] == pytest.approx(1 / (812 * 0.5))
    assert intervals["start"].iloc[0] == pytest.approx(-1.0, abs=0.01)


def test_columns_of_another_width_are_refused():
    with pytest.raises(ConfigurationError, match=r"must have 2 x 300 columns .* but has shape \(1, 300\)"):
        SpectrumTransformer(300, ("re", "im")).transform(np.zeros((1, 300)))
