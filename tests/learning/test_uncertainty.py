"""Intervals that cover and probabilities that mean what they say."""

import numpy as np
import pandas as pd
import pytest
from mapie.regression import CrossConformalRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import brier_score_loss, f1_score, log_loss
from sklearn.model_selection import PredefinedSplit

from nmr_platform.errors import ConfigurationError
from nmr_platform.learning.evaluation.bootstrap import Bootstrap
from nmr_platform.learning.evaluation.calibration import (
    conformal_p_values,
    fit_calibrated,
    interval_half_width,
    out_of_fold,
    reliability_table,
    uncalibrated,
)
from nmr_platform.learning.evaluation.scores import Predictions, score_by_exponent, score_rows
from nmr_platform.learning.models.forests import ExtraTrees
from nmr_platform.learning.splitting import Fold
from nmr_platform.learning.tasks import ClassificationTask
from tests.learning.problems import KERNEL_TASK, W_TASK


def folds_of(n, k=5):
    number = np.arange(n) % k
    return [Fold(np.flatnonzero(number != i), np.flatnonzero(number == i)) for i in range(k)]


def line(n, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3)).astype(np.float32)
    return x, x[:, 0].astype(float) + rng.standard_t(3, n)


def classes(n, seed):
    """Two overlapping classes, one three times as frequent as the other."""
    rng = np.random.default_rng(seed)
    y = np.where(rng.random(n) < 0.25, "power", "other")
    x = rng.normal(size=(n, 4)).astype(np.float32)
    x[:, 0] += 1.0 * (y == "power")
    return pd.DataFrame(x, columns=list("abcd")), y


def as_predictions(true, probabilities, names):
    predicted = np.asarray(names)[probabilities.argmax(axis=1)]
    return Predictions(true, predicted, np.arange(len(true)), np.ones(len(true)), probabilities=probabilities)


def test_intervals_cover_as_often_as_they_say():
    x, y = line(600, seed=0)
    guess = out_of_fold(LinearRegression, x, y, folds_of(600))
    half = interval_half_width(np.abs(y - guess), coverage=0.9)
    fresh_x, fresh_y = line(2000, seed=1)
    covered = np.abs(LinearRegression().fit(x, y).predict(fresh_x) - fresh_y) <= half
    assert 0.87 < covered.mean() < 0.93


def test_the_half_width_is_that_of_mapie_s_cross_conformal_intervals():
    x, y = line(101, seed=2)
    folds = folds_of(101)
    number = np.arange(101) % 5
    theirs = CrossConformalRegressor(
        LinearRegression(), confidence_level=0.8, method="base", cv=PredefinedSplit(number)
    ).fit_conformalize(x, y)
    ends = theirs.predict_interval(x[:1])[1][0, :, 0]
    ours = interval_half_width(np.abs(y - out_of_fold(LinearRegression, x, y, folds)), coverage=0.8)
    assert (ends[1] - ends[0]) / 2 == pytest.approx(ours)


def test_half_the_width_is_an_order_statistic():
    residuals = np.arange(1.0, 20.0)
    assert interval_half_width(residuals, coverage=0.9) == 18.0
    assert interval_half_width(residuals[::-1], coverage=0.5) == 10.0


@pytest.mark.parametrize("coverage", [0.0, 0.05, 0.95, 1.0, -0.1, float("nan")])
def test_a_coverage_that_the_residuals_cannot_tell_is_refused(coverage):
    with pytest.raises(ConfigurationError, match=r"`coverage` must lie between 0\.1\d* and 0\.8\d* with 9 residuals"):
        interval_half_width(np.arange(9.0), coverage=coverage)


def test_out_of_fold_predictions_are_of_models_that_had_not_seen_the_row():
    x = np.arange(20, dtype=np.float32)[:, np.newaxis]
    y = np.zeros(20)
    y[7] = 1.0
    build = lambda: ExtraTrees().build({"n_estimators": 5, "max_depth": 9}, W_TASK, seed=0)  # noqa: E731
    assert out_of_fold(build, x, y, folds_of(20))[7] == 0.0
    assert build().fit(x, y).predict(x)[7] == 1.0


def test_coverage_of_independent_curves_has_a_binomial_interval():
    true = np.zeros(100)
    half = np.where(np.arange(100) < 90, 1.0, -1.0)
    p = Predictions(true, true, np.arange(100), np.ones(100), -half, half)
    score = score_rows(W_TASK, p, Bootstrap(n_resamples=20))["coverage"]
    # Wilson's interval for 90 of 100, as in any table of it.
    assert (score.value, score.lower, score.upper) == pytest.approx((0.9, 0.8256, 0.9448), abs=1e-4)


def test_coverage_of_curves_that_share_disorder_has_the_interval_of_the_bootstrap():
    true, inside = np.zeros(40), np.repeat([True, False], 20)
    half = np.where(inside, 1.0, -1.0)
    p = Predictions(true, true, np.repeat([0, 1], 20), np.ones(40), -half, half)
    score = score_rows(W_TASK, p, Bootstrap(n_resamples=200))["coverage"]
    # Two groups, one covered and one not: a resample has none, half, or all.
    assert (score.value, score.lower, score.upper) == (0.5, 0.0, 1.0)


def test_scores_of_probabilities_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    task = ClassificationTask()
    names = np.array(task.class_names)
    probabilities = rng.dirichlet([1, 2, 3], 300)
    true = names[[rng.choice(3, p=row) for row in probabilities]]
    scores = score_rows(task, as_predictions(true, probabilities, names), Bootstrap(n_resamples=20))
    assert scores["log_loss"].value == pytest.approx(log_loss(true, probabilities, labels=names))
    assert scores["brier"].value == pytest.approx(brier_score_loss(true, probabilities, labels=names))
    assert scores["ece"].value < 0.08


def test_the_brier_score_of_two_classes_is_the_customary_one():
    true, names = np.array(["power", "other", "power"]), KERNEL_TASK.class_names
    first = np.array([0.9, 0.2, 0.4])
    scores = score_rows(KERNEL_TASK, as_predictions(true, np.stack([first, 1 - first], 1), names), Bootstrap(10))
    assert scores["brier"].value == pytest.approx((0.01 + 0.04 + 0.36) / 3)


def test_the_calibration_error_is_the_gap_between_confidence_and_accuracy():
    names = KERNEL_TASK.class_names
    true = np.where(np.arange(100) < 60, names[0], names[1])
    probabilities = np.tile([0.95, 0.05], (100, 1))
    scores = score_rows(KERNEL_TASK, as_predictions(true, probabilities, names), Bootstrap(10))
    assert scores["ece"].value == pytest.approx(0.35)


@pytest.mark.parametrize(
    "build",
    [
        lambda: LogisticRegression(class_weight="balanced"),
        lambda: ExtraTrees().build({"n_estimators": 50, "max_depth": 5, "min_samples_leaf": 5}, KERNEL_TASK, seed=0),
    ],
    ids=["balanced weights", "forest"],
)
def test_calibration_makes_probabilities_honest(build):
    x, y = classes(900, seed=0)
    fresh_x, fresh_y = classes(3000, seed=1)
    model = fit_calibrated(build(), x, y, folds_of(900))
    order = [list(model.classes_).index(name) for name in KERNEL_TASK.class_names]
    after, before = (each.predict_proba(fresh_x)[:, order] for each in (model, uncalibrated(model)))
    assert before[:, 0].mean() > 0.32
    assert abs(after[:, 0].mean() - 0.25) < 0.03
    losses = [log_loss(fresh_y, p[:, ::-1], labels=["other", "power"]) for p in (after, before)]
    assert losses[0] < losses[1] - 0.01


def test_reliability_tells_what_happened_in_each_bin():
    names = ["gaussian", "power", "rkky"]
    true = np.array(["gaussian"] * 3 + ["power"] * 5)
    probabilities = np.tile([0.3, 0.6, 0.1], (8, 1))
    table = reliability_table(true, probabilities, names, confidence=0.95).set_index("class")
    assert table["observed"].to_dict() == {"gaussian": 3 / 8, "power": 5 / 8, "rkky": 0.0}
    assert table.loc["power", "predicted"] == pytest.approx(0.6)
    assert (table["lower"] <= table["observed"]).all()
    assert (table["observed"] <= table["upper"]).all()
    assert list(reliability_table(true, probabilities[:, :2], names[:2], confidence=0.9)["class"]) == ["gaussian"]


def test_scores_by_exponent_show_where_power_laws_are_missed():
    exponent = np.concatenate([np.linspace(1.0, 3.0, 80), np.full(80, np.nan)])
    true = np.where(np.arange(160) < 80, "power", "other")
    predicted = np.where(exponent < 2.0, "power", "other")
    p = Predictions(true, predicted, np.arange(160), np.ones(160))
    table = score_by_exponent(KERNEL_TASK, p, exponent, Bootstrap(50), n_bins=4)
    recall = table[table["metric"] == "recall"]
    assert recall["value"].to_list() == [1.0, 1.0, 0.0, 0.0]
    assert recall["exponent_low"].to_list() == [1.0, 1.5, 2.0, 2.5]
    assert recall["n"].sum() == 80
    f1 = table[table["metric"] == "f1_weighted"]["value"].to_list()
    assert f1[0] == 1.0
    among = (exponent >= 2.5) | (true == "other")
    assert f1[-1] == pytest.approx(f1_score(true[among], predicted[among], average="weighted"))


@pytest.mark.parametrize("task", [W_TASK, ClassificationTask()], ids=["regression", "three classes"])
def test_other_tasks_have_no_scores_by_exponent(task):
    p = Predictions(np.array(["power"]), np.array(["power"]), np.arange(1), np.ones(1))
    assert score_by_exponent(task, p, np.ones(1), Bootstrap(10)) is None


def test_a_fixed_exponent_has_no_bins():
    p = Predictions(np.array(["power"] * 3), np.array(["power"] * 3), np.arange(3), np.ones(3))
    assert score_by_exponent(KERNEL_TASK, p, np.full(3, 2.0), Bootstrap(10)) is None


def test_p_values_count_the_scores_that_are_as_high():
    calibration = np.array([3.0, 1.0, 2.0, 2.0])
    np.testing.assert_allclose(conformal_p_values(np.array([0.0, 2.0, 2.5, 4.0]), calibration), [1.0, 0.8, 0.4, 0.2])


def test_p_values_of_exchangeable_scores_are_uniform():
    rng = np.random.default_rng(0)
    p_values = np.concatenate([conformal_p_values(rng.normal(size=20), rng.normal(size=99)) for _ in range(200)])
    for level in (0.05, 0.2, 0.5):
        assert np.mean(p_values <= level) == pytest.approx(level, abs=0.02)
