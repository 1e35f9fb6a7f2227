"""Conformal p-values, against closed forms and their own promise."""

import numpy as np
import pytest

from nmr_platform.learning.evaluation.conformal import conformal_p_values


def test_p_values_count_the_scores_that_are_as_high():
    calibration = np.array([3.0, 1.0, 2.0, 2.0])
    np.testing.assert_allclose(conformal_p_values(np.array([0.0, 2.0, 2.5, 4.0]), calibration), [1.0, 0.8, 0.4, 0.2])


def test_p_values_of_exchangeable_scores_are_uniform():
    rng = np.random.default_rng(0)
    p_values = np.concatenate([conformal_p_values(rng.normal(size=20), rng.normal(size=99)) for _ in range(200)])
    for level in (0.05, 0.2, 0.5):
        assert np.mean(p_values <= level) == pytest.approx(level, abs=0.02)
