"""Readings of M(t): closed forms, invariances, and the floor that the disorder sets."""

import numpy as np
import pytest

from nmr_platform.errors import ConfigurationError
from nmr_platform.features import Acquisition, PointwiseFeatures, ShapeFeatures, extract
from nmr_platform.features.signals import SignalReader, disorder_floor
from nmr_platform.features.window import WindowSpan

TAKEN = Acquisition(echo_index=1256, step=1.0, n_samples=1884, n_sites=100)
SPAN = WindowSpan(echo_index=2, before=1, after=2)
M = np.array([[1 + 2j, 3 - 4j, -5j]])


def read(m, *components, span=SPAN, **options):
    return SignalReader(components, span, **options).transform(np.asarray(m))


def test_parts_are_taken_without_rotation():
    reader = SignalReader(("re", "im", "abs"), SPAN)
    np.testing.assert_allclose(reader.transform(M), [[1, 3, 0, 2, -4, -5, np.sqrt(5), 5, 5]], rtol=1e-6)
    assert list(reader.get_feature_names_out()[[0, 4, 8]]) == ["re_-1", "im_0", "abs_1"]


def test_aligned_parts_are_relative_to_the_echo():
    aligned = M * (3 + 4j) / 5
    expected = np.concatenate([aligned.real, aligned.imag], axis=1)
    np.testing.assert_allclose(read(M, "inphase", "quadrature"), expected, atol=1e-6)


def test_logarithm_levels_off_at_the_floor():
    found = read([[1, 1e-3, 0]], "log", floor=1e-2)
    np.testing.assert_allclose(found, [np.log([np.hypot(1, 1e-2), np.hypot(1e-3, 1e-2), 1e-2])], rtol=1e-6)


def test_rescaled_logarithm_is_the_ratio_to_the_largest_value():
    found = read([[8, 4, 2]], "log", floor=0.8, rescale=True)
    np.testing.assert_allclose(found, [np.log(np.hypot([1, 0.5, 0.25], 0.1))], rtol=1e-6)


def test_phase_turns_with_the_signal_and_fades_below_the_floor():
    span = WindowSpan(100, 100, 100)
    turning = np.exp(1j * (0.7 + 0.4 * span.offsets))
    cos, sin = np.split(read(turning[np.newaxis], "cos", "sin", span=span)[0], 2)
    np.testing.assert_allclose(cos + 1j * sin, np.exp(0.4j * span.offsets), atol=1e-6)
    faint = read(1e-4 * turning[np.newaxis], "cos", "sin", span=span, floor=1e-2)
    assert np.abs(faint).max() < 0.011


@pytest.mark.parametrize("frequency", [-0.3, 0.0, 0.05])
def test_a_rotating_signal_has_its_own_frequency(frequency):
    span, step = WindowSpan(100, 30, 30), 0.01
    turning = 0.2 * np.exp(2j * np.pi * frequency * step * np.arange(60))[np.newaxis]
    found = read(turning, "freq", span=span, step=step)
    np.testing.assert_allclose(found[0, 1:-1], frequency, rtol=1e-4, atol=1e-6)
    assert np.abs(read(turning, "freq", span=span, step=step, floor=10.0)).max() < 2e-4


def test_the_frequency_of_averaged_samples_is_in_the_same_unit():
    span, step, frequency = WindowSpan(400, 30, 30, width=4), 0.01, 0.3
    turning = np.exp(2j * np.pi * frequency * step * span.offsets)[np.newaxis]
    np.testing.assert_allclose(read(turning, "freq", span=span, step=step)[0, 1:-1], frequency, rtol=1e-3)


def test_a_change_of_sign_is_no_frequency():
    line = np.linspace(1, -1, 41)[np.newaxis] * np.exp(1.1j)
    assert np.abs(read(line, "freq", span=WindowSpan(20, 20, 21), floor=1e-9)).max() < 1e-6


def test_the_floor_is_what_independent_phases_leave():
    phases = np.random.default_rng(2).uniform(0, 2 * np.pi, (4000, 100))
    left = np.abs(0.5 * np.exp(1j * phases).mean(axis=1))
    assert disorder_floor(100) == pytest.approx(np.sqrt((left**2).mean()), rel=0.03)
    assert disorder_floor(10_000) == pytest.approx(0.005)


@pytest.mark.parametrize("signal", ["complex", "aligned", "phase", "instantaneous_frequency"])
def test_real_records_have_no_phase_to_read(records, signal):
    feature_set = PointwiseFeatures(signal=signal)
    with pytest.raises(ConfigurationError, match=r"`m` must be complex to be read as `\w+`, but is float32"):
        extract(np.abs(records), feature_set, TAKEN)


def test_real_records_have_a_logarithm(records):
    feature_set = PointwiseFeatures(signal="log_magnitude")
    found, expected = extract(np.abs(records), feature_set, TAKEN), extract(records, feature_set, TAKEN)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize(
    "feature_set",
    [PointwiseFeatures(signal="log_magnitude"), PointwiseFeatures(signal="phase"), ShapeFeatures(signal="magnitude")],
    ids=lambda item: item.name,
)
def test_the_floor_needs_the_number_of_spins(records, feature_set):
    with pytest.raises(ConfigurationError, match=f"`n_sites` must be given for `{feature_set.name}`"):
        extract(records, feature_set, TAKEN.replace(n_sites=None))
