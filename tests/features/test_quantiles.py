"""Quantiles over dyadic intervals: the article's counts, the loop they replace, and their places."""

from itertools import pairwise

import numpy as np
import pytest

from nmr_platform.errors import ConfigurationError
from nmr_platform.features import Acquisition, QuantileFeatures
from nmr_platform.features.kinds.quantiles import DyadicQuantiles, dyadic_intervals


def computed_in_a_loop(signal, depth=6, divisor=4):
    """One curve, value by value, with `np.quantile`."""
    first = np.diff(signal)
    repeated = [first[0]] * 2 + list(first) + [first[-1]] * 2
    smooth = np.array([np.mean(repeated[k : k + 5]) for k in range(len(first))])
    values = []
    for series in (signal, smooth, np.diff(signal, n=2), np.abs(np.fft.rfft(signal))):
        level = 0
        while level < depth and 2**level <= len(series):
            parts = 2**level
            halves = [k * len(series) // (2 * parts) for k in range(2 * parts + 1)]
            ends = list(zip(halves[:-2:2], halves[2::2], strict=True))
            if len(series) >= 2 * parts:
                ends += list(zip(halves[1:-3:2], halves[3::2], strict=True))
            for start, stop in ends:
                stretch = series[start:stop]
                n_quantiles = 1 + (len(stretch) - 1) // divisor
                probabilities = np.linspace(0, 1, n_quantiles) if n_quantiles > 1 else [0.5]
                for rank, probability in enumerate(probabilities):
                    values.append(np.quantile(stretch, probability) - (stretch.mean() if rank % 2 else 0))
            level += 1
    return values


@pytest.mark.parametrize("n_samples", [4, 5, 37, 100, 300])
def test_quantiles_equal_those_of_the_loop(n_samples):
    signals = np.random.default_rng(n_samples).normal(size=(3, n_samples)).cumsum(axis=1)
    found = DyadicQuantiles(n_samples).transform(signals)
    expected = [computed_in_a_loop(signal) for signal in signals]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("depth", "divisor"), [(1, 1), (3, 2)])
def test_depth_and_divisor_are_those_that_are_asked_for(depth, divisor):
    signals = np.random.default_rng(8).normal(size=(2, 41))
    found = DyadicQuantiles(41, depth=depth, divisor=divisor).transform(signals)
    expected = [computed_in_a_loop(signal, depth, divisor) for signal in signals]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("length", [64, 100, 300])
def test_there_are_as_many_intervals_as_the_article_counts(length):
    intervals = dyadic_intervals(length, 6)
    assert len(intervals) == 2**5 * 4 - 2 - 6
    for level in range(6):
        parts = [(start, stop) for label, start, stop in intervals if label.startswith(f"{2**level}_")]
        equal, shifted = parts[: 2**level], parts[2**level :]
        assert [equal[0][0], equal[-1][1]] == [0, length]
        assert all(a[1] == b[0] for group in (equal, shifted) for a, b in pairwise(group))


def test_one_curve_more_does_not_change_the_others():
    signals = np.random.default_rng(9).normal(size=(1030, 20))
    transformer = DyadicQuantiles(20)
    np.testing.assert_array_equal(transformer.transform(signals)[:700], transformer.transform(signals[:700]))


def test_names_tell_component_series_interval_and_probability():
    names = list(DyadicQuantiles(40, ("re", "im")).get_feature_names_out())
    assert names[:3] == ["re_1_1_q0", "re_1_1_q0.1111-mean", "re_1_1_q0.2222"]
    assert "im_d1_2_1.5_q0.5" in names
    assert "re_f_4_1_q1-mean" in names
    assert len(names) == 2 * DyadicQuantiles(40).transform(np.zeros((1, 40))).shape[1]


def test_intervals_lie_where_the_points_are():
    feature_set = QuantileFeatures(signal="magnitude", half_width=32)
    intervals = feature_set.intervals(Acquisition(echo_index=100, step=0.5, n_samples=200)).set_index("name")
    # Samples 68 to 131; the third eighth begins with sample 84, and ends half a step after sample 91.
    assert list(intervals.loc["abs_8_3_q0", ["start", "stop"]]) == [41.75, 45.75]
    # 63 first differences: the first half, 31 of them, reaches to sample 68 + 31.
    assert list(intervals.loc["abs_d1_2_1_q0", ["start", "stop"]]) == [33.75, 49.75]
    # 62 second differences: the last reaches to the last sample.
    assert intervals.loc["abs_d2_1_1_q0", "stop"] == 65.75
    # 33 frequencies from zero to half the sampling rate.
    spectrum = intervals.loc["abs_f_1_1_q0"]
    assert (spectrum["axis"], spectrum["stop"]) == ("frequency", pytest.approx(32.5 / 32))


def test_columns_of_another_width_are_refused():
    with pytest.raises(ConfigurationError, match=r"must have 1 x 300 columns .* but has shape \(2, 299\)"):
        DyadicQuantiles(300).transform(np.zeros((2, 299)))
