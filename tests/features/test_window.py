"""The window: which samples, how they are averaged, and what is refused."""

import numpy as np
import pytest

from nmr_platform.errors import ConfigurationError, DataError
from nmr_platform.features import (
    Acquisition,
    FrequencyFeatures,
    PointwiseFeatures,
    PolynomialFeatures,
    ShapeFeatures,
    extract,
)
from nmr_platform.features.window import RecordWindow, WindowSpan
from tests.features.records import TAKEN


def averaged_in_a_loop(row, width):
    means = []
    for first in range(0, len(row), width):
        middle = first + (width - 1) / 2
        weights = [max(0, 1 - abs(k - middle) / width) for k in range(len(row))]
        means.append(np.dot(weights, row) / sum(weights))
    return means


def test_window_holds_the_samples_around_the_echo():
    m = np.arange(20.0)[np.newaxis]
    window = RecordWindow(WindowSpan(echo_index=10, before=3, after=3))
    np.testing.assert_array_equal(window.transform(m), [[7, 8, 9, 10, 11, 12]])
    assert list(window.get_feature_names_out()) == ["m_-3", "m_-2", "m_-1", "m_0", "m_1", "m_2"]


@pytest.mark.parametrize("width", [2, 3, 6])
def test_bins_are_triangular_means(width):
    rng = np.random.default_rng(1)
    m = rng.normal(size=(3, 48)) + 1j * rng.normal(size=(3, 48))
    found = RecordWindow(WindowSpan(24, 24 // width, 24 // width, width)).transform(m)
    np.testing.assert_allclose(found, [averaged_in_a_loop(row, width) for row in m], rtol=1e-12)


def test_bins_do_not_change_a_constant_or_a_straight_line():
    m = np.array([np.ones(60), np.arange(60.0)])
    found = RecordWindow(WindowSpan(30, 6, 6, 5)).transform(m)
    np.testing.assert_allclose(found[0], 1, rtol=1e-12)
    np.testing.assert_allclose(found[1, 1:-1], np.arange(7, 57, 5)[:10], rtol=1e-12)


@pytest.mark.parametrize("width", [4, 6])
def test_what_would_fold_onto_slow_signals_is_gone(width):
    samples = np.arange(240)
    fast = np.exp(2j * np.pi * samples / width)
    found = RecordWindow(WindowSpan(120, 120 // width, 120 // width, width)).transform(fast[np.newaxis])
    assert np.abs(found[0, 1:-1]).max() < 1e-12


def test_the_record_is_cut_into_bins_counted_from_the_echo():
    feature_set = PointwiseFeatures(signal="magnitude", window="record", decimate=4)
    taken = Acquisition(echo_index=10, step=0.5, n_samples=30)
    span = feature_set.span(taken)
    assert (span.first, span.stop, span.n_bins) == (2, 30, 7)
    intervals = feature_set.intervals(taken).set_index("name")
    assert list(intervals.index) == ["abs_-8", "abs_-4", "abs_0", "abs_4", "abs_8", "abs_12", "abs_16"]
    assert list(intervals.loc["abs_0", ["start", "stop"]]) == [4.75, 6.75]


@pytest.mark.parametrize("echo_index", [149, 1735])
def test_window_outside_the_record_is_refused(records, echo_index):
    match = f"`half_width` must keep .* 150 samples on each side of echo index {echo_index} .* record of 1884 samples"
    with pytest.raises(ConfigurationError, match=match):
        RecordWindow(WindowSpan(echo_index, 150, 150)).transform(records)
    for kind in (FrequencyFeatures, ShapeFeatures):
        with pytest.raises(ConfigurationError, match=match):
            kind(signal="magnitude").intervals(TAKEN.replace(echo_index=echo_index))


@pytest.mark.parametrize("echo_index", [150, 1734])
def test_window_that_just_fits_is_accepted(records, echo_index):
    assert RecordWindow(WindowSpan(echo_index, 150, 150)).transform(records).shape == (12, 300)


@pytest.mark.parametrize(
    ("kind", "decimate", "match"),
    [
        (
            PointwiseFeatures,
            700,
            "`decimate` must leave a bin on each side of the echo, but bins of 700 samples do",
        ),
        (PolynomialFeatures, 60, "`decimate` must leave 40 samples or more for polynomial features, but 60 leaves 30"),
    ],
)
def test_bins_too_wide_for_the_record_are_refused(kind, decimate, match):
    feature_set = kind(signal="magnitude", window="record", decimate=decimate)
    with pytest.raises(ConfigurationError, match=match):
        feature_set.span(TAKEN)


def test_records_are_as_long_as_their_acquisition_says(records):
    with pytest.raises(ConfigurationError, match="`m` must have 2000 samples a curve, but has 1884"):
        extract(records, PointwiseFeatures(signal="magnitude"), TAKEN.replace(n_samples=2000))


def test_bad_records_are_refused(records):
    window = RecordWindow(WindowSpan(1256, 150, 150))
    with pytest.raises(
        ConfigurationError, match=r"`m` must have shape \(n_curves, n_samples\), but has shape \(1884,\)"
    ):
        window.transform(records[0])
    for fault in (np.nan, np.inf):
        spoiled = records.copy()
        spoiled[3, 1256] = fault
        with pytest.raises(DataError, match="finite around the echo, but curve 3 is not"):
            extract(spoiled, PointwiseFeatures(signal="magnitude"), TAKEN)


def test_a_sample_stands_for_the_step_around_it():
    feature_set = PointwiseFeatures(signal="magnitude", half_width=2)
    intervals = feature_set.intervals(Acquisition(echo_index=10, step=0.5, n_samples=20)).set_index("name")
    assert intervals.loc["abs_0", "start"] == 4.75
    assert intervals.loc["abs_0", "stop"] == 5.25
