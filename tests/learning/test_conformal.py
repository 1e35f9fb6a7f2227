"""Intervals and p-values from stored numbers, against MAPIE, closed forms and their own promise."""

import numpy as np
import pytest
from mapie.regression import SplitConformalRegressor
from sklearn.dummy import DummyRegressor

from nmr_platform.errors import ConfigurationError
from nmr_platform.learning.conformal import conformal_p_values, residual_quantile


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9, 0.95])
@pytest.mark.parametrize("n", [39, 99, 200])
def test_intervals_are_those_of_mapie(n, coverage):
    y = np.random.default_rng(n).normal(size=n)
    x = np.zeros((n, 1))
    always_zero = DummyRegressor(strategy="constant", constant=0.0).fit(x, y)
    conformal = SplitConformalRegressor(always_zero, confidence_level=coverage, prefit=True).conformalize(x, y)
    lower, upper = conformal.predict_interval(x[:1])[1][0, :, 0]
    half = residual_quantile(np.abs(y), coverage)
    assert (-half, half) == pytest.approx((lower, upper))


def test_half_the_width_is_an_order_statistic():
    residuals = np.arange(1.0, 10.0)
    assert residual_quantile(residuals, 0.9) == 9.0
    assert residual_quantile(residuals[::-1], 0.5) == 5.0


def test_too_few_residuals_for_a_coverage_are_refused():
    with pytest.raises(ConfigurationError, match=r"`coverage` must be at most 0\.9 with 9 residuals, but is 0\.95"):
        residual_quantile(np.arange(9.0), 0.95)


@pytest.mark.parametrize("coverage", [0.0, 1.0, -0.1, float("nan")])
def test_a_coverage_out_of_range_is_refused(coverage):
    with pytest.raises(ConfigurationError, match="`coverage` must be between 0 and 1"):
        residual_quantile(np.arange(9.0), coverage)


def test_p_values_count_the_scores_that_are_as_high():
    calibration = np.array([3.0, 1.0, 2.0, 2.0])
    np.testing.assert_allclose(conformal_p_values(np.array([0.0, 2.0, 2.5, 4.0]), calibration), [1.0, 0.8, 0.4, 0.2])


def test_p_values_of_exchangeable_scores_are_uniform():
    rng = np.random.default_rng(0)
    p_values = np.concatenate([conformal_p_values(rng.normal(size=20), rng.normal(size=99)) for _ in range(200)])
    for level in (0.05, 0.2, 0.5):
        assert np.mean(p_values <= level) == pytest.approx(level, abs=0.02)
