"""The verdict on curves that the search never saw."""

import numpy as np
import pytest

from nmr_platform.pulse_design import ScoreObjective, compare, hahn_with
from nmr_platform.pulse_design.resampling import resampled_r2
from tests.pulse_design.searching import SEQUENCE, search_recipe, search_settings

OTHER = hahn_with(SEQUENCE, 60.0, 150.0)


@pytest.fixture(scope="module")
def verdict():
    return compare(search_recipe(seed=6, n_curves=24), SEQUENCE, OTHER, search_settings())


def test_it_is_on_other_curves_than_the_search(verdict):
    searched = ScoreObjective(search_recipe(), search_settings()).evaluate(SEQUENCE)
    assert not np.isin(verdict.baseline_m, searched.m[:, 1:]).any()
    assert verdict.n_curves == 24


def test_both_sequences_are_scored_on_the_same_new_curves(verdict):
    objective = ScoreObjective(search_recipe(seed=6, n_curves=24), search_settings(n_curves=24))
    old, new = objective.evaluate(SEQUENCE), objective.evaluate(OTHER)
    assert {name: each.baseline for name, each in verdict.targets.items()} == old.scores
    assert {name: each.best for name, each in verdict.targets.items()} == new.scores
    np.testing.assert_array_equal(verdict.baseline_m, old.m[:3])
    np.testing.assert_array_equal(verdict.best_m, new.m[:3])
    assert verdict.time.shape == verdict.best_m.shape[1:]


def test_the_interval_is_of_the_difference_on_the_same_resamples(verdict):
    objective = ScoreObjective(search_recipe(seed=6, n_curves=24), search_settings(n_curves=24))
    old, new = objective.evaluate(SEQUENCE), objective.evaluate(OTHER)
    gain = resampled_r2(new.true[:, 0], new.predicted[:, 0], 5) - resampled_r2(old.true[:, 0], old.predicted[:, 0], 5)
    assert (verdict.targets["W"].lower, verdict.targets["W"].upper) == tuple(np.quantile(gain, [0.025, 0.975]))


def test_a_sequence_gains_nothing_over_itself():
    verdict = compare(search_recipe(seed=6), SEQUENCE, SEQUENCE, search_settings())
    for comparison in verdict.targets.values():
        assert comparison.baseline == comparison.best
        assert (comparison.lower, comparison.upper) == (0.0, 0.0)
