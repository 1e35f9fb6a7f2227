import numpy as np
import pytest
from scipy.stats.qmc import Sobol

from nmr_platform.datasets.recipe.sampling import points_of
from tests.datasets.recipes import small_recipe


def test_a_sobol_curve_is_the_same_whichever_curves_were_drawn_before():
    recipe = small_recipe(sampling="sobol")
    late = recipe.curve(2000).drawn
    assert small_recipe(sampling="sobol").curve(3).drawn == recipe.curve(3).drawn
    assert small_recipe(sampling="sobol", n_curves=5000).curve(2000).drawn == late


def test_sobol_and_random_draws_differ_and_so_do_data_sets_of_other_seeds():
    draws = [
        small_recipe(**changes).curve(0).drawn["kernel.xi"]
        for changes in ({}, {"sampling": "sobol"}, {"sampling": "sobol", "seed": 8})
    ]
    assert len(set(draws)) == 3


@pytest.mark.parametrize("number", [0, 1, 1023, 1024, 3000])
def test_the_first_point_of_a_sobol_curve_is_the_one_of_its_number_in_one_sequence(number):
    rng = np.random.default_rng(np.random.SeedSequence(5, spawn_key=(2**32 - 1,)))
    expected = Sobol(8 * 2, rng=rng).random(4096)[number, :2]
    point = next(points_of(number, 2, np.random.SeedSequence(1), "sobol", 5))
    np.testing.assert_array_equal(point, expected)


def accepted_means(sampling: str, accept) -> np.ndarray:
    """Mean first coordinate of the first accepted point of 512 curves, for a dozen seeds."""
    means = []
    for seed in range(12):
        curves = (points_of(i, 2, np.random.SeedSequence([seed, i]), sampling, seed) for i in range(512))
        means.append(np.mean([next(point for point in points if accept(point))[0] for points in curves]))
    return np.array(means)


@pytest.mark.parametrize(
    ("accept", "gain"),
    [(lambda point: point.all(), 10), (lambda point: 0.1 < point.prod() < 0.4, 1.5)],
    ids=["all", "half"],
)
def test_sobol_draws_are_spread_more_evenly_than_random_ones_even_after_rejection(accept, gain):
    at_random, even = accepted_means("random", accept), accepted_means("sobol", accept)
    assert even.std() < at_random.std() / gain
    assert even.mean() == pytest.approx(at_random.mean(), abs=0.02)


def test_second_draws_of_a_sobol_curve_do_not_depend_on_why_the_first_was_rejected():
    pairs = []
    for number in range(1024):
        points = points_of(number, 1, np.random.SeedSequence(1), "sobol", 5)
        pairs.append([next(points)[0], next(points)[0]])
    first, second = np.array(pairs).T
    for rejected in (first < 0.5, first > 0.75):
        assert second[rejected].mean() == pytest.approx(0.5, abs=0.02)


def test_after_its_sobol_points_a_curve_goes_on_at_random():
    points = points_of(0, 2, np.random.SeedSequence(3), "sobol", 5)
    drawn = np.array([next(points) for _ in range(40)])
    assert len(np.unique(drawn[:, 0])) == 40
    np.testing.assert_array_equal(drawn[8:], np.random.default_rng(np.random.SeedSequence(3)).random((32, 2)))
