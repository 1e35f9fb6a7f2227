"""Posteriors: closed forms, whether they mean what they say, and what their networks use."""

import numpy as np
import pandas as pd
import pytest

from nmr_platform.learning.evaluation.agreement import agreement, importance_by_place
from nmr_platform.learning.evaluation.evaluate import evaluate_task
from nmr_platform.learning.evaluation.posterior import expected_coverage, posterior_columns, rank_histogram
from nmr_platform.learning.models.posterior import Mixture, NeuralPosterior
from nmr_platform.learning.tasks import ClassificationTask
from nmr_platform.learning.tuning import tune_task
from tests.learning.extras import needs_library_of
from tests.learning.problems import W_TASK, problem
from tests.learning.recording import RecordingTracker
from tests.learning.test_tune_and_evaluate import EVALUATE, SPLIT, TUNE

PARAMS = {"members": 2, "epochs": 40, "summary": 32, "width": 32, "depth": 1, "weight_decay": 0.1}


def normal(centres, widths):
    return Mixture(np.ones((len(centres), 1)), centres[:, np.newaxis], np.full((len(centres), 1), widths))


@pytest.fixture
def simulated():
    """Values drawn from normal posteriors of width 0.5, and their centres."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=4000)
    return centres, centres + 0.5 * rng.normal(size=4000)


def test_the_score_of_a_mixture_is_that_of_its_draws():
    rng = np.random.default_rng(1)
    one = Mixture(np.array([[0.3, 0.7]]), np.array([[-1.0, 2.0]]), np.array([[0.5, 1.5]]))
    which = rng.random(200_000) < 0.3
    drawn = np.where(which, rng.normal(-1.0, 0.5, 200_000), rng.normal(2.0, 1.5, 200_000))
    for value in (-2.0, 0.3, 4.0):
        sampled = np.abs(drawn - value).mean() - 0.5 * np.abs(drawn[::2] - drawn[1::2]).mean()
        assert one.crps(np.array([value]))[0] == pytest.approx(sampled, abs=0.02)
        assert one.cdf(np.array([value]))[0] == pytest.approx((drawn <= value).mean(), abs=0.005)
    assert one.mean()[0] == pytest.approx(1.1)


def test_the_score_of_a_posterior_that_is_one_value_is_the_absolute_error():
    assert normal(np.array([1.0]), 1e-9).crps(np.array([3.5]))[0] == pytest.approx(2.5)


def test_a_posterior_moves_with_its_unit():
    one = normal(np.array([0.2]), 0.1)
    moved, value = one.moved(1e-3, 5.0), np.array([0.25])
    np.testing.assert_allclose(moved.crps(5.0 + 1e-3 * value), 1e-3 * one.crps(value))
    np.testing.assert_allclose(moved.cdf(5.0 + 1e-3 * value), one.cdf(value))


def test_right_posteriors_have_even_ranks_and_the_coverage_of_their_level(simulated):
    centres, true = simulated
    ranks = rank_histogram(normal(centres, 0.5), true, confidence=0.999)
    assert ((ranks["lower"] <= ranks["n"]) & (ranks["n"] <= ranks["upper"])).all()
    coverage = expected_coverage(normal(centres, 0.5), true, confidence=0.999)
    assert ((coverage["lower"] <= coverage["coverage"]) & (coverage["coverage"] <= coverage["upper"])).all()


@pytest.mark.parametrize(("width", "sign"), [(0.25, -1), (1.0, 1)], ids=["too narrow", "too wide"])
def test_wrong_widths_are_seen_in_ranks_and_coverage(simulated, width, sign):
    centres, true = simulated
    posterior = normal(centres, width)
    ranks = rank_histogram(posterior, true, confidence=0.99)["n"].to_numpy()
    middle, ends = ranks[8:12].mean(), ranks[[0, -1]].mean()
    assert sign * (middle - ends) > 100
    coverage = expected_coverage(posterior, true, confidence=0.99)
    assert sign * (coverage["coverage"] - coverage["level"]).iloc[16] > 0.03
    columns = posterior_columns(posterior, true, true, coverage=0.9)
    assert sign * (columns["posterior_coverage"].mean() - 0.9) > 0.05


def test_the_score_of_the_prior_is_that_of_its_draws_and_a_posterior_beats_it(simulated):
    centres, true = simulated
    columns = posterior_columns(normal(centres, 0.5), true, true[:50], coverage=0.9)
    apart = np.abs(true[:50, np.newaxis] - true[:50]).mean()
    expected = np.abs(true[:, np.newaxis] - true[:50]).mean(axis=1) - 0.5 * apart
    np.testing.assert_allclose(columns["prior_crps"], expected)
    assert columns["crps"].mean() < 0.6 * columns["prior_crps"].mean()


def test_models_agree_where_their_importances_lie_whichever_neighbour_they_take():
    start = np.arange(96.0)
    intervals = pd.DataFrame({"name": [f"f{k}" for k in range(96)], "record": "", "axis": "time", "start": start})
    intervals = intervals.assign(stop=start + 1.0)

    def shares(columns):
        importances = pd.Series(np.isin(np.arange(96), columns).astype(float), index=intervals["name"])
        return importance_by_place(intervals, importances)

    same, other, even = shares([0, 8, 40]), shares([90]), shares(np.arange(96))
    alike = agreement(shares([3, 10, 43]), same)
    assert alike == {"overlap": pytest.approx(1.0), "rank_correlation": pytest.approx(1.0)}
    assert agreement(same, other)["overlap"] == 0.0
    assert agreement(same, other)["rank_correlation"] < 0.0
    assert np.isnan(agreement(same, even)["rank_correlation"])


@needs_library_of(NeuralPosterior)
def test_a_network_knows_where_it_knows_little():
    rng = np.random.default_rng(0)
    x = rng.uniform(-1.0, 1.0, (1200, 2)).astype(np.float32)
    width = np.where(x[:, 1] > 0.0, 0.4, 0.05)
    y = x[:, 0] + width * rng.normal(size=1200)
    family = NeuralPosterior()
    model = family.regressor({**PARAMS, "noise": 0.01, "dropout": 0.0, "learning_rate": 0.01}, seed=0, n_jobs=1)
    posterior = model.fit(x[:800], y[:800]).posterior(x[800:])
    squares = (posterior.shares * (posterior.widths**2 + posterior.centres**2)).sum(axis=1)
    spread = np.sqrt(squares - posterior.mean() ** 2)
    assert spread[width[800:] > 0.1].mean() > 3.0 * spread[width[800:] < 0.1].mean()
    covered = posterior_columns(posterior, y[800:], y[:800], coverage=0.9)["posterior_coverage"].mean()
    assert 0.85 < covered < 0.97


@needs_library_of(NeuralPosterior)
def test_posteriors_that_noise_and_dropout_widen_are_stretched_back():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1500, 4)).astype(np.float32)
    y = x[:, 0] + 0.1 * rng.normal(size=1500)
    params = {**PARAMS, "members": 3, "noise": 0.3, "dropout": 0.3, "learning_rate": 0.01}
    model = NeuralPosterior().regressor(params, seed=0, n_jobs=1).fit(x[:700], y[:700])
    unevenness = []
    for factor in (np.ones(1), model.stretch_):
        model.stretch_ = factor
        ranks = rank_histogram(model.posterior(x[700:]), y[700:], confidence=0.95)
        unevenness.append(int(((ranks["n"] < ranks["lower"]) | (ranks["n"] > ranks["upper"])).sum()))
    assert model.stretch_[0] < 0.8
    assert unevenness[0] >= 10
    assert unevenness[1] <= 6


@needs_library_of(NeuralPosterior)
def test_integrated_gradients_add_up_to_what_the_network_says_less_what_it_says_of_the_mean():
    features, labels = problem(40)
    rows = W_TASK.select(labels)
    x, y = features.loc[rows], W_TASK.y(labels.loc[rows])
    model = NeuralPosterior().regressor(PARAMS, seed=0, n_jobs=1).fit(x, y)
    mean = model.predict(x.mean().to_frame().T.astype(np.float32))
    told = model.contributions(x).sum(axis=(1, 2))
    np.testing.assert_allclose(told, model.predict(x) - mean, atol=2e-3 * np.ptp(y))


@needs_library_of(NeuralPosterior)
def test_the_members_differ_and_the_class_is_told_by_their_mean():
    features, labels = problem(40)
    task = ClassificationTask()
    model = NeuralPosterior().classifier(PARAMS, seed=0, n_jobs=1).fit(features, task.y(labels))
    assert not np.allclose(model.layers_[0][0][0], model.layers_[0][0][1])
    probabilities = model.predict_proba(features)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)
    assert NeuralPosterior().posterior(model, features) is None


@needs_library_of(NeuralPosterior)
def test_an_evaluation_says_how_true_posteriors_are(tmp_path):
    features, labels = problem(80)
    tune = TUNE.replace(n_trials=1, families=(NeuralPosterior(members=2, epochs=30),))
    summary = tune_task(
        "w", W_TASK, {"plain": features}, labels, tune=tune, split=SPLIT, tracker=RecordingTracker(), storage=tmp_path
    )
    (model,) = evaluate_task(
        summary, {"plain": features}, labels, settings=EVALUATE.replace(interval_folds=3, learning_curve=())
    ).models
    scores = model.scores
    assert scores["crps"].lower < scores["crps"].value < scores["crps"].upper < scores["prior_crps"].value
    assert 0.0 < scores["posterior_coverage"].value <= 1.0
    assert {"tables/ranks.csv", "tables/expected_coverage.csv"} <= set(model.tables())
    assert model.extras["ranks"]["n"].sum() == len(model.predictions)
    assert isinstance(model.extras["expected_coverage"], pd.DataFrame)
