"""Scores and their bootstrap intervals."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, mean_absolute_error, r2_score, root_mean_squared_error

from nmr_platform.learning.evaluation.bootstrap import Bootstrap
from nmr_platform.learning.evaluation.results import confusion_by_bins, confusion_table
from nmr_platform.learning.evaluation.scores import Predictions, regression_statistics, score_by_bins, score_rows
from nmr_platform.learning.tasks import ClassificationTask
from tests.learning.problems import W_TASK

CLASSES = ClassificationTask()


def regression(n=200, seed=0):
    rng = np.random.default_rng(seed)
    true = rng.uniform(0.1, 0.3, n)
    predicted = true + rng.normal(0.0, 0.03, n)
    return Predictions(true, predicted, np.arange(n), true, predicted - 0.05, predicted + 0.05)


def classification(n=200, seed=0):
    rng = np.random.default_rng(seed)
    names = np.array(CLASSES.class_names)
    true = rng.choice(names, n, p=[0.6, 0.3, 0.1])
    predicted = np.where(rng.random(n) < 0.7, true, rng.choice(names, n))
    return Predictions(true, predicted, np.arange(n), rng.uniform(0.1, 0.3, n))


def test_regression_scores_are_those_of_scikit_learn():
    p = regression()
    scores = score_rows(W_TASK, p, Bootstrap())
    assert scores["r2"].value == pytest.approx(r2_score(p.true, p.predicted))
    assert scores["rmse"].value == pytest.approx(root_mean_squared_error(p.true, p.predicted))
    assert scores["mae"].value == pytest.approx(mean_absolute_error(p.true, p.predicted))
    assert scores["coverage"].value == pytest.approx(np.mean(np.abs(p.true - p.predicted) <= 0.05))
    assert scores["width"].value == pytest.approx(0.1)


def test_classification_scores_are_those_of_scikit_learn():
    p = classification()
    scores = score_rows(CLASSES, p, Bootstrap())
    assert scores["f1_weighted"].value == pytest.approx(f1_score(p.true, p.predicted, average="weighted"))
    assert scores["accuracy"].value == pytest.approx(accuracy_score(p.true, p.predicted))
    per_class = f1_score(p.true, p.predicted, average=None, labels=list(CLASSES.class_names))
    assert [scores[f"f1_{name}"].value for name in CLASSES.class_names] == pytest.approx(per_class)
    assert scores["f1_weighted"].value == pytest.approx(CLASSES.score(p.true, p.predicted))


def test_resampled_scores_are_those_of_the_resampled_rows():
    p = regression(50)
    seen = {}

    def statistics(counts):
        seen.setdefault("counts", []).append(counts)
        return {"n": counts.sum(axis=1)}

    Bootstrap(n_resamples=20, seed=3).scores(statistics, p.groups)
    draws = [np.repeat(np.arange(50), row.astype(int)) for row in seen["counts"][1]]
    values = [r2_score(p.true[rows], p.predicted[rows]) for rows in draws]
    score = score_rows(W_TASK, p, Bootstrap(n_resamples=20, seed=3))["r2"]
    assert (score.lower, score.upper) == pytest.approx(tuple(np.quantile(values, [0.025, 0.975])))


def test_bootstrap_intervals_hold_the_true_mean_about_as_often_as_they_say():
    rng = np.random.default_rng(1)
    hits = 0
    for repeat in range(150):
        error = np.abs(rng.normal(0.0, 1.0, 80))
        p = Predictions(np.zeros(80), error, np.arange(80), np.ones(80))
        mae = score_rows(W_TASK, p, Bootstrap(n_resamples=200, seed=repeat))["mae"]
        hits += mae.lower <= np.sqrt(2.0 / np.pi) <= mae.upper
    assert 0.88 < hits / 150 < 0.99


def test_rows_that_share_disorder_are_drawn_together_and_widen_the_interval():
    single = regression(60)
    grouped = Predictions(*(np.repeat(part, 4) for part in (single.true, single.predicted, single.groups, single.w)))
    naive = Predictions(grouped.true, grouped.predicted, np.arange(240), grouped.w)
    scores = [score_rows(W_TASK, p, Bootstrap(seed=1))["mae"] for p in (single, grouped, naive)]
    widths = [score.upper - score.lower for score in scores]
    assert widths[1] == pytest.approx(widths[0])
    assert widths[2] < 0.6 * widths[0]


def test_resamples_that_have_no_score_do_not_spoil_the_interval():
    # One resample in four of two rows holds one of them twice, and has no R2.
    p = regression(2)
    r2 = score_rows(W_TASK, p, Bootstrap(n_resamples=50))["r2"]
    assert np.isfinite([r2.lower, r2.upper]).all()


@pytest.mark.parametrize("n_resamples", [1, 200, 250])
def test_there_are_as_many_resamples_as_were_asked_for(n_resamples):
    drawn = Bootstrap(n_resamples).resampled(lambda counts: {"n": counts.sum(axis=1)}, np.arange(5))["n"]
    assert drawn.tolist() == [5.0] * n_resamples


def test_the_bootstrap_is_seeded():
    p = regression()
    first, again, other = (score_rows(W_TASK, p, Bootstrap(seed=seed))["r2"] for seed in (0, 0, 1))
    assert first == again
    assert first != other


def test_r2_of_a_constant_target_is_undefined_and_does_not_warn():
    p = Predictions(np.ones(5), np.zeros(5), np.arange(5), np.ones(5))
    scores = score_rows(W_TASK, p, Bootstrap(n_resamples=10))
    assert np.isnan(scores["r2"].value)
    assert scores["rmse"].value == 1.0


@pytest.mark.parametrize(("task", "made"), [(W_TASK, regression), (CLASSES, classification)])
def test_bins_of_w_hold_every_row_once_with_all_metrics(task, made):
    p = made()
    table = score_by_bins(task, p, Bootstrap(n_resamples=20), n_bins=4)
    assert table.groupby("bin")["n"].first().tolist() == [50] * 4
    assert set(table["metric"]) == set(score_rows(task, p, Bootstrap(n_resamples=20)))
    assert (table["w_low"] < table["w_high"]).all()
    assert (table["lower"] <= table["upper"]).all()


def test_few_rows_make_fewer_bins():
    table = score_by_bins(W_TASK, regression(25), Bootstrap(n_resamples=20), n_bins=5)
    assert table["bin"].nunique() == 2


def test_confusion_tables_hold_every_class_and_add_up():
    p = classification(100)
    whole = confusion_table(p, CLASSES.class_names)
    assert list(whole.index) == list(whole.columns) == list(CLASSES.class_names)
    bins = confusion_by_bins(p, CLASSES.class_names, 3)
    summed = bins.pivot_table(index="true", columns="predicted", values="n", aggfunc="sum")
    np.testing.assert_array_equal(summed.loc[whole.index, whole.columns], whole)


def test_resamples_are_scored_as_scikit_learn_would_score_the_rows_themselves():
    rng = np.random.default_rng(0)
    true, predicted = rng.normal(size=(2, 30))
    drawn = np.random.default_rng(3).integers(30, size=(50, 30))
    counts = np.array([np.bincount(rows, minlength=30) for rows in drawn], dtype=float)
    expected = [r2_score(true[rows], predicted[rows]) for rows in drawn]
    np.testing.assert_allclose(regression_statistics(true, predicted)(counts)["r2"], expected)


def test_equal_seeds_draw_the_same_rows_so_that_differences_are_paired():
    values = np.random.default_rng(0).normal(size=25)

    def means(shift):
        return lambda counts: {"mean": counts @ (values + shift) / values.size}

    first, second = (Bootstrap(200, seed=4).resampled(means(shift), np.arange(25))["mean"] for shift in (0.0, 1.0))
    assert first.shape == (200,)
    np.testing.assert_allclose(second - first, 1.0)
    assert not np.allclose(first, Bootstrap(200, seed=5).resampled(means(0.0), np.arange(25))["mean"])
