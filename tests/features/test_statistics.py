"""Moments, rates and widths of curves for which they are known."""

import numpy as np
import pytest

from nmr_platform.features.statistics import standardised_moments

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
