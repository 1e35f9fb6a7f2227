"""The out-of-prior score: uniform for curves like the training set, small for others."""

import numpy as np
import pandas as pd
import pytest

from nmr_platform.inference.novelty import Novelty

WIDTH = 40


def rows(n, seed, *, noise=0.05, width=WIDTH):
    """Rows on a plane in forty dimensions, or others, with noise."""
    rng = np.random.default_rng(seed)
    plane = np.random.default_rng(99).normal(size=(2, width))
    return pd.DataFrame(rng.uniform(-1, 1, (n, 2)) @ plane + noise * rng.normal(size=(n, width))).add_prefix("f")


@pytest.fixture(scope="module")
def novelty():
    return Novelty.fit(rows(400, 1), np.arange(400))


def test_p_values_of_curves_like_the_training_set_are_uniform_or_a_little_larger(novelty):
    """A little larger, because the detector saw a fifth more rows than those that calibrate it."""
    p_values = novelty.p_values(rows(2000, 2))
    for level in (0.05, 0.2, 0.5):
        assert 0.5 * level < np.mean(p_values <= level) < level + 0.02


@pytest.mark.parametrize("n", [40, 100])
def test_fewer_curves_than_features_are_as_strange_as_they_are(n):
    p_values = np.concatenate(
        [
            Novelty.fit(rows(n, seed, width=300), np.arange(n)).p_values(rows(100, 100 + seed, width=300))
            for seed in range(8)
        ]
    )
    for level in (0.1, 0.5):
        assert 0.5 * level < np.mean(p_values <= level) < level + 0.1


@pytest.mark.parametrize(
    "strange",
    [
        rows(20, 3, noise=0.1),
        rows(20, 3, noise=0.02),
        rows(20, 3) + 0.2 * np.eye(WIDTH)[0] * WIDTH,
        rows(20, 3) * 0.0,
    ],
    ids=["noisier", "smoother", "off-the-plane", "no-signal"],
)
def test_strange_curves_have_small_p_values(novelty, strange):
    assert np.median(novelty.p_values(strange)) < 0.02


def test_the_smallest_p_value_is_two_in_the_number_of_training_curves(novelty):
    assert novelty.p_values(100.0 + rows(1, 3)) == pytest.approx(2 / 401)


def test_a_group_of_equal_disorder_does_not_vouch_for_itself():
    """Ten copies of every row: split by row, each would have its copy among the fitted ones."""
    table = rows(40, 1)
    copies = pd.concat([table] * 10, ignore_index=True)
    by_group = Novelty.fit(copies, np.tile(np.arange(40), 10))
    by_row = Novelty.fit(copies, np.arange(400))
    assert np.median(by_group.calibration) < np.median(by_row.calibration)
    fresh = rows(500, 2)
    assert np.mean(by_group.p_values(fresh) <= 0.05) < np.mean(by_row.p_values(fresh) <= 0.05)


def test_features_that_say_nearly_the_same_leave_the_likelihood_finite():
    alike = rows(200, 4, noise=1e-9)
    alike = pd.concat([alike, alike.add_suffix("_again") * 3.0], axis=1)
    novelty = Novelty.fit(alike, np.arange(200))
    assert np.isfinite(novelty.calibration).all()
    assert np.mean(novelty.p_values(alike * 3.0) <= 0.05) > 0.5
