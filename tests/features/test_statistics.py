"""Moments, rates and widths of curves for which they are known."""

import numpy as np
import pytest

from nmr_platform.features.statistics import decay_rate, fall_time, secondary_maximum, standardised_moments

TIME = np.arange(0.0, 400.0, 0.01)


@pytest.mark.parametrize("scale", [0.5, 8.0])
def test_the_moments_of_an_exponential_are_its_scale_and_two_and_nine(scale):
    mean, deviation, skewness, kurtosis = standardised_moments(np.exp(-TIME / scale)[np.newaxis], TIME)
    assert mean == pytest.approx(scale, rel=0.02)
    assert deviation == pytest.approx(scale, rel=1e-3)
    assert skewness == pytest.approx(2.0, rel=1e-3)
    assert kurtosis == pytest.approx(9.0, rel=1e-3)


def test_a_curve_without_weight_has_no_moments():
    assert np.ravel(standardised_moments(np.zeros((1, 5)), np.arange(5.0))).tolist() == [0.0] * 4


def test_the_decay_rate_is_the_slope_of_a_line_weighted_with_the_square():
    distance = np.arange(0.0, 10.0, 0.1)
    magnitude = np.exp(-distance) + 0.2 * np.exp(-distance / 5)
    # The weights of `polyfit` multiply the residuals, and so are squared.
    slope, _ = np.polyfit(distance, np.log(magnitude), 1, w=magnitude)
    assert decay_rate(magnitude[np.newaxis], distance) == pytest.approx(-slope)


@pytest.mark.parametrize(
    ("magnitude", "level", "expected"),
    [
        ([1.0, 0.6, 0.4], 0.5, 1.5),
        ([1.0, 0.5, 0.5, 0.2], 0.5, 1.0),
        ([1.0, 0.9, 0.8], 0.5, 2.0),
        ([0.0, 1.0, 0.5, 0.0], 0.0, 3.0),
    ],
    ids=["between samples", "to a plateau at the level", "never", "from zero"],
)
def test_a_curve_has_fallen_when_it_is_no_longer_above_the_level(magnitude, level, expected):
    time = np.arange(float(len(magnitude)))
    found = fall_time(np.array([magnitude]), time, np.zeros(1, dtype=np.int64), np.array([level]))
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("place", [20, 80])
def test_the_second_maximum_may_lie_on_either_side_of_the_first(place):
    magnitude = np.zeros((1, 101))
    magnitude[0, [50, place]] = 1.0, 0.4
    number, second, height, standing = secondary_maximum(magnitude, 0.1)
    assert (number, second, height, standing) == (2, place, 0.4, 0.4)
