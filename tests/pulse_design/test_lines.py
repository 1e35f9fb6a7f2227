"""Lines through what is measured around a point, and what slopes that differ by chance tell."""

import numpy as np
import pytest

from nmr_platform.pulse_design.objectives.unknowns import bound, crossed, displaced, fit_line

NAMES = ("X", "Z")
STEPS = np.array([0.5, 0.01])
AT = np.array([3.0, 0.2])


def line_through(signal, *, reach=1.0, groups=2):
    """The fit of a signal of two unknowns, shape (..., 2) to (..., n)."""
    values = displaced(AT, reach * STEPS, NAMES, groups=groups, seed=0)
    return fit_line(values, signal(values), reach * STEPS)


def test_a_line_is_found_and_nothing_is_left_over():
    slopes = np.array([[1.0, -2.0, 0.5], [30.0, 0.0, 7.0]])
    found = line_through(lambda values: values @ slopes + 4.0)
    np.testing.assert_allclose(found.slopes, np.stack([slopes, slopes]), atol=1e-12)
    np.testing.assert_allclose(found.residuals, 0.0, atol=1e-12)


def test_every_group_has_a_level_of_its_own():
    slopes = np.array([[1.0], [30.0]])
    found = line_through(lambda values: values @ slopes + np.array([5.0, -5.0])[:, None, None])
    np.testing.assert_allclose(found.slopes, np.stack([slopes, slopes]), atol=1e-12)


def test_over_a_short_reach_slopes_are_derivatives():
    found = line_through(lambda values: np.sin(values[..., :1]) * values[..., 1:], reach=1e-3)
    expected = [[np.cos(AT[0]) * AT[1]], [np.sin(AT[0])]]
    np.testing.assert_allclose(found.slopes, [expected, expected], rtol=1e-3)


def test_what_bends_within_the_reach_is_left_over():
    # x^2 about 0: no slope, and the square's own variance, times the 4/3 by which what levels of 4 pairs take away is
    # made up for: here they take nothing, for squares of orthogonal displacements add up to the same in every group.
    values = displaced(np.array([0.0, 0.0]), np.array([1.0, 1.0]), NAMES, groups=2000, seed=0)
    square = values[..., :1] ** 2
    found = fit_line(values, square, np.array([1.0, 1.0]))
    assert found.slopes.mean(axis=0)[0, 0] == pytest.approx(0.0, abs=0.05)
    assert np.mean(found.residuals**2) == pytest.approx(4 / 3 * square.var(), rel=0.02)


def test_a_phase_that_turns_many_times_within_the_reach_tells_nothing():
    def slope_over_spread(turns):
        found = line_through(
            lambda values: np.sin(2 * np.pi * turns * (values[..., 1:] - AT[1]) / STEPS[1]), groups=200
        )
        return abs(found.slopes.mean(axis=0)[1, 0] * STEPS[1]) / found.residuals.std()

    assert slope_over_spread(0.05) > 5.0
    assert slope_over_spread(5.0) < 0.3


def test_residuals_are_as_large_as_the_noise():
    rng = np.random.default_rng(1)
    sizes = []
    for _ in range(400):
        values = displaced(AT, STEPS, NAMES, groups=2, seed=int(rng.integers(1 << 30)))
        sizes.append(np.mean(fit_line(values, rng.normal(size=(*values.shape[:2], 5)), STEPS).residuals ** 2))
    assert np.mean(sizes) == pytest.approx(1.0, rel=0.05)


def test_rates_stay_positive_and_ranges_do_not_vanish():
    at = np.array([0.01, 0.01, 1e-3, 2.0, 1.0])
    names = ("X", "Z", "gamma_z", "xi", "exponent")
    values = displaced(at, np.full(5, 10.0), names, groups=2, seed=0)
    assert values[..., 2].min() == 0.0
    assert values[..., 3].min() == 1.0
    assert values[..., 4].min() == 0.5
    assert values[..., :2].min() < 0.0


def test_displacements_of_different_unknowns_are_orthogonal_and_their_mean_square_is_that_of_the_steps():
    moved = (displaced(AT, STEPS, NAMES, groups=5, seed=3) - AT) / STEPS
    for group in moved:
        np.testing.assert_allclose(group.T @ group / len(group), np.eye(2), atol=1e-12)


def test_an_unknown_is_displaced_alike_whatever_is_asked_after_it():
    three = displaced(np.append(AT, 3.0), np.append(STEPS, 0.1), (*NAMES, "xi"), groups=2, seed=3)
    np.testing.assert_allclose(three[..., :2], displaced(AT, STEPS, NAMES, groups=2, seed=3))


def test_slopes_that_are_chance_alone_tell_nothing_however_many_numbers_there_are():
    # The square of their mean would be taken for an information of 500 / 4.
    chance = np.random.default_rng(0).normal(size=(400, 4, 1, 500))
    found = np.array([crossed(slopes)[0, 0] for slopes in chance])
    assert found.mean() == pytest.approx(0.0, abs=4 * found.std() / np.sqrt(400))


def test_slopes_that_are_the_same_in_every_group_tell_their_square():
    slopes = np.array([[1.0, -2.0, 0.5], [3.0, 0.0, 7.0]])
    np.testing.assert_allclose(crossed(np.stack([slopes] * 3)), slopes @ slopes.T)


def test_the_bound_is_the_inverse_of_what_measurement_and_prior_know_together():
    rng = np.random.default_rng(0)
    slopes, scale = rng.normal(size=(3, 9)), np.diag([1e-5, 1.0, 10.0])
    information, known = scale @ slopes @ slopes.T @ scale, scale @ scale
    np.testing.assert_allclose(bound(information, known), np.linalg.inv(information + known), rtol=1e-9)


def test_displacements_come_in_opposite_pairs_and_are_the_same_each_time():
    values = displaced(AT, STEPS, NAMES, groups=3, seed=7)
    np.testing.assert_allclose(values.mean(axis=1), np.tile(AT, (3, 1)), atol=1e-12)
    np.testing.assert_array_equal(values, displaced(AT, STEPS, NAMES, groups=3, seed=7))
