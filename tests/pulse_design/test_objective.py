"""The score of a sequence: the same spins for every sequence, and nothing left to chance."""

import numpy as np
import pytest
from sklearn.metrics import r2_score

from nmr_platform import simulate
from nmr_platform.physics import Hahn
from nmr_platform.pulse_design import ScoreObjective, hahn_with
from nmr_platform.pulse_design.resampling import resampled_r2
from tests.pulse_design.searching import SEQUENCE, search_recipe, search_settings


@pytest.fixture(scope="module")
def objective():
    return ScoreObjective(search_recipe(), search_settings())


@pytest.fixture(scope="module")
def textbook(objective):
    return objective.evaluate(SEQUENCE)


def test_only_the_flip_angles_are_changed():
    assert hahn_with(Hahn(tau=3.0, phi1=10.0, phi2=80.0), 60.0, 150.0) == Hahn(
        tau=3.0, theta1=60.0, phi1=10.0, theta2=150.0, phi2=80.0
    )


@pytest.mark.parametrize("angles", [(90.0, 180.0), (70.0, 150.0)])
def test_a_candidate_is_what_simulating_its_curves_by_hand_gives(objective, angles):
    recipe, sequence = search_recipe(), hahn_with(SEQUENCE, *angles)
    candidate = objective.evaluate(sequence)
    assert candidate.m.shape == (20, recipe.curve(0).experiment.n_samples)
    for number in (0, 7, 19):
        curve = recipe.curve(number)
        echo = simulate(curve.experiment.replace(sequence=sequence), seed=curve.disorder_seed)
        np.testing.assert_array_equal(candidate.m[number], echo.m)


def test_two_sequences_see_the_same_parameters_and_the_same_disorder(objective, textbook):
    other = objective.evaluate(hahn_with(SEQUENCE, 0.0, 180.0))
    np.testing.assert_array_equal(other.true, textbook.true)
    # Without a first pulse nothing is transverse, whatever the disorder; with the textbook's again, all is as it was.
    assert np.abs(other.m).max() < 1e-6
    np.testing.assert_array_equal(objective.evaluate(SEQUENCE).m, textbook.m)


def test_the_targets_are_the_couplings_of_the_curves(textbook):
    for number in (0, 11):
        experiment = search_recipe().curve(number).experiment
        coupling, total = experiment.coupling, experiment.kernel_sum
        expected = [experiment.kernel_integral, coupling.alpha_x * total, coupling.alpha_z * total]
        np.testing.assert_allclose(textbook.true[number], expected, rtol=1e-12)
        assert expected[0] == pytest.approx(2 * expected[1] + expected[2])


def test_the_scores_are_those_of_curves_that_the_estimator_had_not_seen(textbook):
    for column, name in enumerate("WXZ"):
        assert textbook.scores[name] == r2_score(textbook.true[:, column], textbook.predicted[:, column])
    # Trees that had seen them would know them by heart.
    assert textbook.scores["X"] < 0.999
    assert len(textbook.fold_scores) == 2
    assert textbook.error > 0
    assert textbook.simulated_time == pytest.approx(textbook.m.shape[1] * 0.15)


def test_the_score_is_the_same_to_the_last_bit_however_often_it_is_asked_for(objective, textbook):
    for _ in range(5):
        again = objective.evaluate(SEQUENCE)
        assert again.predicted.tobytes() == textbook.predicted.tobytes()
        assert (again.scores, again.error, again.fold_scores) == (
            textbook.scores,
            textbook.error,
            textbook.fold_scores,
        )


def test_a_new_objective_of_the_same_settings_gives_the_same_score(textbook):
    again = ScoreObjective(search_recipe(), search_settings()).evaluate(SEQUENCE)
    assert again.predicted.tobytes() == textbook.predicted.tobytes()


def test_the_target_of_the_search_decides_error_and_folds_alone(textbook):
    other = ScoreObjective(search_recipe(), search_settings(target="X")).evaluate(SEQUENCE)
    assert other.scores == textbook.scores
    assert other.fold_scores != textbook.fold_scores
    assert other.error != textbook.error


def test_resamples_are_scored_as_scikit_learn_would():
    rng = np.random.default_rng(0)
    true, predicted = rng.normal(size=(2, 30))
    rows = np.random.default_rng(3).integers(30, size=(50, 30))
    expected = [r2_score(true[part], predicted[part]) for part in rows]
    np.testing.assert_allclose(resampled_r2(true, predicted, 3, n_resamples=50), expected)
