"""The echo window: which samples, which columns, and what is refused."""

import numpy as np
import pytest

from nmr_platform.errors import ConfigurationError, DataError
from nmr_platform.features import EchoWindow, FeatureSet, extract, feature_intervals


def test_window_holds_the_samples_around_the_echo():
    m = np.arange(20.0)[np.newaxis]
    window = EchoWindow(echo_index=10, half_width=3)
    np.testing.assert_array_equal(window.transform(m), [[7, 8, 9, 10, 11, 12]])
    assert list(window.get_feature_names_out()) == ["abs_-3", "abs_-2", "abs_-1", "abs_0", "abs_1", "abs_2"]


def test_complex_signal_is_taken_without_rotation():
    m = np.array([[1 + 2j, 3 - 4j, -5 + 0j, 0 - 1j]])
    window = EchoWindow(echo_index=2, half_width=1, signal="complex")
    np.testing.assert_array_equal(window.transform(m), [[3, -5, -4, 0]])
    assert list(window.get_feature_names_out()) == ["re_-1", "re_0", "im_-1", "im_0"]


def test_rescaled_complex_signal_has_a_largest_magnitude_of_one(records):
    columns = EchoWindow(1256, 150, rescale=True, signal="complex").transform(records)
    magnitude = np.hypot(columns[:, :300], columns[:, 300:])
    np.testing.assert_allclose(magnitude.max(axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize("echo_index", [149, 1735])
def test_window_outside_the_record_is_refused(records, echo_index):
    match = f"`half_width` must keep .* 150 samples on each side of echo index {echo_index} .* record of 1884 samples"
    with pytest.raises(ConfigurationError, match=match):
        EchoWindow(echo_index, 150).transform(records)
    with pytest.raises(ConfigurationError, match=match):
        feature_intervals(
            FeatureSet(kind="frequency", signal="magnitude"), echo_index=echo_index, step=1.0, n_samples=1884
        )


@pytest.mark.parametrize("echo_index", [150, 1734])
def test_window_that_just_fits_is_accepted(records, echo_index):
    assert EchoWindow(echo_index, 150).transform(records).shape == (12, 300)


def test_bad_records_are_refused(records):
    with pytest.raises(
        ConfigurationError, match=r"`m` must have shape \(n_curves, n_samples\), but has shape \(1884,\)"
    ):
        EchoWindow(1256).transform(records[0])
    with pytest.raises(ConfigurationError, match="`m` must be complex for the signal `complex`, but is float32"):
        EchoWindow(1256, signal="complex").transform(np.abs(records))
    spoiled = records.copy()
    spoiled[3, 1256] = np.nan
    with pytest.raises(DataError, match="finite around the echo, but curve 3 is not"):
        extract(spoiled, FeatureSet(kind="pointwise", signal="magnitude"), echo_index=1256, step=1.0)


def test_a_sample_stands_for_the_step_around_it():
    feature_set = FeatureSet(kind="pointwise", signal="magnitude", half_width=2)
    intervals = feature_intervals(feature_set, echo_index=10, step=0.5, n_samples=20).set_index("name")
    assert intervals.loc["abs_0", "start"] == 4.75
    assert intervals.loc["abs_0", "stop"] == 5.25
