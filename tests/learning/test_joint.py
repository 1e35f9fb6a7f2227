"""Joint tasks: several numbers of a curve together, and whether their joint posteriors mean what they say."""

import numpy as np
import pandas as pd
import pytest

from nmr_platform.errors import ConfigurationError, DataError
from nmr_platform.learning.evaluation.bootstrap import Bootstrap
from nmr_platform.learning.evaluation.evaluate import evaluate_task
from nmr_platform.learning.evaluation.joint import energy_score, joint_columns, joint_coverage, joint_tables
from nmr_platform.learning.evaluation.paired import paired_gain
from nmr_platform.learning.models.posterior import JointMixture, NeuralPosterior
from nmr_platform.learning.settings import TuneSettings
from nmr_platform.learning.tasks import JointTask
from nmr_platform.learning.tuning import tune_task
from tests.learning.extras import needs_library_of
from tests.learning.problems import problem
from tests.learning.recording import RecordingTracker
from tests.learning.test_tune_and_evaluate import EVALUATE, SPLIT, TUNE

TASK = JointTask(targets=("W", "xi"))
TILTED = np.array([[1.0, 0.0], [0.6, 0.8]])


def tilted(centres, widths=1.0):
    """Normal posteriors of correlation 0.6."""
    n = len(centres)
    return JointMixture(np.ones((n, 1)), centres[:, np.newaxis], np.broadcast_to(widths * TILTED, (n, 1, 2, 2)))


@pytest.fixture
def simulated():
    """Centres, and values drawn from normal posteriors about them."""
    rng = np.random.default_rng(0)
    centres = 2.0 * rng.normal(size=(3000, 2))
    return centres, centres + rng.normal(size=(3000, 2)) @ TILTED.T


def test_a_joint_task_asks_for_the_targets_of_its_parts_in_their_order():
    labels = problem()[1].iloc[:60]
    np.testing.assert_array_equal(TASK.y(labels), labels[["W", "xi"]].to_numpy())
    assert [part.unit for part in TASK.parts.values()] == ["MHz", "lattice constants"]
    with pytest.raises(DataError, match="Target `xi` must differ between curves"):
        TASK.check(labels.assign(xi=3.0))


def test_only_families_of_joint_posteriors_are_tried_and_others_alone_are_refused():
    with pytest.raises(ConfigurationError, match="must name `posterior` for a task of kind `joint`"):
        TuneSettings(families=("linear", "xgboost")).families_for(TASK)


@needs_library_of(NeuralPosterior)
def test_other_families_are_passed_over_where_one_can_answer():
    settings = TuneSettings(families=("linear", NeuralPosterior()))
    assert [family.kind for family in settings.families_for(TASK)] == ["posterior"]
    assert len(settings.families_for(TASK.parts["_W"])) == 2


def test_moments_and_quantiles_of_a_joint_mixture_are_those_of_its_draws():
    rng = np.random.default_rng(0)
    factors = np.tril(rng.uniform(0.2, 1.0, (1, 3, 2, 2)))
    one = JointMixture(np.array([[0.2, 0.3, 0.5]]), rng.normal(size=(1, 3, 2)), factors)
    drawn = one.draws(200_000, seed=0)[0]
    np.testing.assert_allclose(one.mean()[0], drawn.mean(axis=0), atol=0.02)
    np.testing.assert_allclose(one.covariance()[0], np.cov(drawn.T), atol=0.03)
    np.testing.assert_allclose(one.correlation()[0], np.corrcoef(drawn.T), atol=0.01)
    lower, upper = one.interval(0.8)
    np.testing.assert_allclose([lower[0], upper[0]], np.quantile(drawn, [0.1, 0.9], axis=0), atol=0.02)
    wider, marginal = one.stretched(np.array([2.0, 1.0])), one.marginal(1)
    np.testing.assert_allclose(wider.mean(), one.mean())
    np.testing.assert_allclose(wider.covariance()[0] / one.covariance()[0], [[4.0, 2.0], [2.0, 1.0]])
    np.testing.assert_allclose(marginal.cdf(marginal.quantile(0.3)), 0.3)


def test_the_energy_score_of_one_number_is_the_ranked_probability_score():
    posterior = tilted(np.zeros((1, 2)))
    drawn = posterior.draws(100_000, seed=0)[:, :, :1]
    expected = posterior.marginal(0).crps(np.array([0.7]))
    assert energy_score(drawn, np.array([[0.7]])) == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(("width", "sign"), [(0.4, -1), (2.5, 1)], ids=["too narrow", "too wide"])
def test_wrong_joint_posteriors_are_seen_in_coverage_and_score(simulated, width, sign):
    centres, true = simulated
    right, wrong = tilted(centres), tilted(centres, width)
    coverage = joint_coverage(right, true, true.std(axis=0), confidence=0.999)
    assert ((coverage["lower"] <= coverage["coverage"]) & (coverage["coverage"] <= coverage["upper"])).all()
    off = joint_coverage(wrong, true, true.std(axis=0), confidence=0.999)
    assert sign * (off["coverage"] - off["level"]).iloc[16] > 0.03
    scores = [joint_columns(TASK, each, true, true, seed=0) for each in (right, wrong)]
    assert scores[0]["energy"].mean() < scores[1]["energy"].mean()
    assert scores[0]["energy"].mean() < 0.7 * scores[0]["prior_energy"].mean()
    assert set(scores[0]) == {"crps_W", "prior_crps_W", "crps_xi", "prior_crps_xi", "energy", "prior_energy"}


def test_the_correlation_of_errors_is_told_and_a_typical_curve_is_shown_with_its_truth(simulated):
    centres, true = simulated
    posterior, spread = tilted(centres), true.std(axis=0)
    columns = joint_columns(TASK, posterior, true, true, seed=0)
    tables = joint_tables(TASK, posterior, true, columns, spread, confidence=0.95, seed=0)
    assert set(tables) == {"ranks_W", "ranks_xi", "expected_coverage", "correlations", "corner"}
    assert tables["correlations"].set_index("target").loc["W", "xi"] == pytest.approx(0.6)
    truth, drawn = tables["corner"].iloc[0], tables["corner"].iloc[1:]
    assert (true == truth.to_numpy()).all(axis=1).any()
    assert drawn["W"].corr(drawn["xi"]) == pytest.approx(0.6, abs=0.05)


@needs_library_of(NeuralPosterior)
def test_a_network_learns_how_errors_hang_together_whatever_the_units():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1200, 3)).astype(np.float32)
    y = 2.0 * x[:, :2] + rng.normal(size=(1200, 2)) @ TILTED.T
    params = {"members": 2, "epochs": 40, "summary": 16, "width": 16, "noise": 0.01, "dropout": 0.0}
    model = NeuralPosterior().build({**params, "learning_rate": 0.01}, TASK, seed=0)
    posterior = model.fit(x[:800], y[:800] * [1e-6, 1.0] + [0.0, 5.0]).posterior(x[800:])
    errors = (y[800:] * [1e-6, 1.0] + [0.0, 5.0] - posterior.mean()) / [1e-6, 1.0]
    np.testing.assert_allclose(errors.std(axis=0), 1.0, atol=0.15)
    assert posterior.correlation()[:, 0, 1].mean() == pytest.approx(0.6, abs=0.1)
    np.testing.assert_array_equal(model.predict(x[800:]).shape, (400, 2))


@needs_library_of(NeuralPosterior)
def test_a_joint_task_is_tuned_and_scored_target_by_target_and_together(tmp_path):
    features, labels = problem(80)
    tune = TUNE.replace(n_trials=1, families=("linear", NeuralPosterior(members=2, epochs=30)))
    split = {"split": SPLIT, "tracker": RecordingTracker(), "storage": tmp_path}
    summary = tune_task("both", TASK, {"plain": features}, labels, tune=tune, **split)
    (model,) = evaluate_task(summary, {"plain": features}, labels, settings=EVALUATE).models
    scores = model.scores
    assert scores["r2"].value == pytest.approx((scores["r2_W"].value + scores["r2_xi"].value) / 2)
    assert scores["r2"].value > 0.5
    assert scores["energy"].value < scores["prior_energy"].value
    assert 0.5 < scores["coverage_xi"].value <= 1.0
    table = model.predictions
    assert (table["lower_W"] < table["predicted_W"]).all()
    assert {"true_xi", "predicted_xi", "lower_xi", "upper_xi"} < set(table)
    worse = table.assign(predicted_W=table["W"].mean())
    assert paired_gain(TASK, worse, table, Bootstrap(100)).lower > 0.0
    assert isinstance(model.extras["corner"], pd.DataFrame)
    assert {"metric", "value"} < set(model.extras["learning_curve"])
    assert len(model.importances.dropna()) >= 3
