"""Tuning and evaluation end to end on a synthetic problem."""

import json

import numpy as np
import pandas as pd
import pytest

from nmr_platform.errors import ConfigurationError, DataError
from nmr_platform.learning.evaluation.evaluate import evaluate_task
from nmr_platform.learning.evaluation.explanation import permutation_importances
from nmr_platform.learning.evaluation.stress import scores_of_splits
from nmr_platform.learning.settings import EvaluateSettings, SplitSettings, TuneSettings
from nmr_platform.learning.splitting import make_split, task_rows
from nmr_platform.learning.tuning import tune_task
from nmr_platform.learning.tuning.summary import TuneSummary
from nmr_platform.tracking.protocol import DatasetEntry, RunEntry, closing_run
from tests.learning.problems import KERNEL_TASK, W_TASK, frozen, problem
from tests.learning.recording import RecordingTracker

TUNE = TuneSettings(n_trials=2, cv_folds=3, n_jobs=1, n_estimators=20)
EVALUATE = EvaluateSettings(
    n_resamples=50,
    permutation_repeats=2,
    permutation_features=3,
    n_jobs=1,
    n_bins=2,
    shap_rows=5,
    learning_curve=(0.5,),
)
SPLIT = SplitSettings()
DATASETS = (DatasetEntry("gaussian", "abc", "somewhere"),)


def tuned(tmp_path, tracker, task, features, labels, *, tune=TUNE, split=SPLIT):
    return tune_task(
        "question", task, features, labels, tune=tune, split=split, tracker=tracker, storage=tmp_path, datasets=DATASETS
    )


@pytest.fixture(scope="module")
def tables():
    features, labels = problem(80)
    return {"plain": features, "poor": features[["f2", "f3"]]}, labels


@pytest.fixture(scope="module", params=[W_TASK, KERNEL_TASK], ids=["regression", "classification"])
def evaluated(request, tables, tmp_path_factory):
    tracker = RecordingTracker()
    summary = tuned(tmp_path_factory.mktemp("studies"), tracker, request.param, *tables)
    seen = []
    result = evaluate_task(summary, *tables, settings=EVALUATE, on_model=seen.append)
    return summary, result, tracker, seen


def test_there_is_one_study_and_one_run_per_family_and_feature_set(evaluated):
    summary, _, tracker, _ = evaluated
    labels = [study.label for study in summary.studies]
    assert labels == [f"{family.kind}/{name}" for name in ("plain", "poor") for family in TUNE.families]
    assert len(tracker.runs) == 8
    assert all(tuple(run.record.datasets) == DATASETS for run in tracker.runs.values())
    assert all(run.state == "finished" for run in tracker.runs.values())


def test_the_champion_is_chosen_by_cross_validation_alone(evaluated):
    summary, result, _, _ = evaluated
    assert summary.champion.cv_mean == max(study.cv_mean for study in summary.studies)
    assert result.champion.study == summary.champion
    assert summary.champion.feature_set == "plain"


def test_a_summary_survives_json(evaluated):
    summary = evaluated[0]
    read = TuneSummary.from_dict(json.loads(json.dumps(summary.to_dict())))
    assert read.to_dict() == summary.to_dict()
    assert read.champion.best_params == summary.champion.best_params
    assert 0.0 <= summary.tracking_share <= 1.0


def test_a_summary_on_disk_holds_nothing_that_another_run_would_give_differently(evaluated):
    (study, *_) = evaluated[0].to_dict()["studies"]
    assert not {"run_id", "trial_seconds", "wall_seconds", "tracking_seconds"} & set(study)


def test_every_model_has_metrics_and_tables_to_show(evaluated):
    _, result, tracker, _ = evaluated
    for model in result.models:
        assert tracker.runs[model.study.run_id].record.name == model.study.run_name
        assert {f"test_{result.task.metric}{end}" for end in ("", "_lower", "_upper")} <= set(model.metrics())
        assert {"tables/predictions.csv", "tables/importances.csv", "tables/scores_by_w.csv"} <= set(model.tables())


def test_every_score_has_an_interval_around_it(evaluated):
    _, result, _, _ = evaluated
    table = result.table()
    assert (table["lower"] <= table["value"] + 1e-9).all()
    assert (table["value"] <= table["upper"] + 1e-9).all()
    assert (table["n"] == result.n_test).all()
    assert result.to_dict()["champion"] == result.champion.study.label
    json.dumps(result.to_dict(), allow_nan=False)


def test_the_champion_learns_the_problem_and_the_noise_features_do_not(evaluated):
    _, result, _, _ = evaluated
    metric = f"{result.task.metric}"
    poor = max(model.scores[metric].value for model in result.models if model.study.feature_set == "poor")
    assert result.champion.scores[metric].value > max(0.7, poor + 0.2)


def test_predictions_are_of_held_out_curves_only(evaluated, tables):
    _, result, _, _ = evaluated
    rows = task_rows(result.task, *tables, SplitSettings())
    test = rows.held_out("plain").labels
    predictions = result.champion.predictions
    assert list(predictions["disorder"]) == list(test["disorder"])
    np.testing.assert_array_equal(predictions["true"], result.task.y(test))
    assert result.n_train + result.n_test == len(rows.labels)


def test_only_the_champion_keeps_its_estimator_but_the_caller_sees_all(evaluated):
    _, result, _, seen = evaluated
    assert all(model.estimator is not None for model in seen)
    assert [model.estimator is not None for model in result.models] == [model.is_champion for model in result.models]
    predicted = result.champion.estimator.predict(result.champion.example)
    assert len(predicted) == 5


def test_importances_are_of_every_feature_and_shuffled_for_the_champion(evaluated):
    _, result, _, _ = evaluated
    for model in result.models:
        assert model.importances["impurity"].sum() == pytest.approx(1.0, abs=1e-5)
        assert ("permutation" in model.importances) == model.is_champion
    table = result.champion.importances
    assert table["permutation"].notna().sum() == 3
    assert table["permutation"].idxmax() == 0


def test_a_regression_has_prediction_intervals_and_a_classification_confusions(evaluated):
    _, result, _, _ = evaluated
    model = result.champion
    others = [other for other in result.models if not other.is_champion]
    assert not any({"lower", "p_power"} & set(other.predictions) for other in others)
    if result.task.class_names:
        assert np.allclose(model.predictions[["p_power", "p_other"]].sum(axis=1), 1.0)
        likeliest = np.where(model.predictions["p_power"] > 0.5, "power", "other")
        assert (model.predictions["predicted"] == likeliest).all()
        assert model.scores["log_loss"].value < np.log(2)
        assert model.confusion.to_numpy().sum() == result.n_test
        assert model.confusion_bins["n"].sum() == result.n_test
        assert {"f1_power", "f1_other", "accuracy"} <= set(model.scores)
    else:
        assert (model.predictions["lower"] < model.predictions["upper"]).all()
        assert model.scores["coverage"].value > 0.6
        assert len(model.out_of_fold) == result.n_train
        assert {"coverage", "width", "rmse"} <= set(model.bins["metric"])


def test_the_champion_has_a_learning_curve_that_ends_with_itself(evaluated):
    _, result, _, _ = evaluated
    curve = result.champion.extras["learning_curve"]
    main = curve[curve["metric"] == result.task.metric]
    assert main["n_train"].to_list()[-1] == result.n_train
    assert 0.3 * result.n_train < main["n_train"].to_list()[0] < 0.7 * result.n_train
    assert (main["lower"] <= main["value"]).all()
    assert (main["value"] <= main["upper"]).all()
    if not result.task.class_names:
        assert main["value"].to_list()[-1] == result.champion.scores["r2"].value


def test_winners_are_scored_with_other_splits_where_that_is_asked_for(evaluated, tables):
    summary, result, *_ = evaluated
    asked = summary.replace(tune=summary.tune.replace(repeats=2))
    again = evaluate_task(asked, *tables, settings=EVALUATE.replace(learning_curve=(), shap_rows=0))
    for model, first in zip(again.models, result.models, strict=True):
        repeats = model.extras["repeats"]
        assert list(repeats["seed"]) == [SPLIT.seed + 1, SPLIT.seed + 2]
        assert set(repeats["n_train"] + repeats["n_test"]) == {result.n_train + result.n_test}
        assert model.metrics()["repeats_mean"] == pytest.approx(repeats["value"].mean())
        assert model.scores == first.scores
        assert "repeats" not in first.extras


def test_the_split_of_tuning_gives_its_own_score_again(evaluated, tables):
    summary, result, *_ = evaluated
    study = result.models[0].study
    (row,) = scores_of_splits(
        summary.task,
        lambda: summary.unfitted(study),
        ({study.feature_set: tables[0][study.feature_set]}, tables[1]),
        [SPLIT],
    ).to_dict("records")
    if not result.models[0].is_champion or not summary.task.class_names:
        assert row["value"] == pytest.approx(result.models[0].scores[summary.task.metric].value)
    assert (row["n_train"], row["n_test"]) == (result.n_train, result.n_test)


def test_shap_values_find_the_features_that_matter(evaluated):
    _, result, _, _ = evaluated
    table = result.champion.importances.set_index("feature")["shap"]
    assert table.idxmax() == ("f1" if result.task.class_names else "f0")


def test_tuning_never_sees_the_held_out_part(tmp_path, tables):
    features, labels = tables
    split = make_split(labels, features, SplitSettings())
    spoilt = features["plain"].copy()
    noise = np.random.default_rng(1).normal(1e3, 1.0, (split.in_test.sum(), spoilt.shape[1]))
    spoilt.loc[split.in_test] = noise.astype(np.float32)
    changed = labels.assign(W=labels["W"].where(~split.in_test, 99.0))
    tune = TUNE.replace(families=("extra_trees",))
    first, second = (
        tuned(tmp_path / name, RecordingTracker(), W_TASK, {"plain": table}, rows, tune=tune)
        for name, table, rows in (("a", features["plain"], labels), ("b", spoilt, changed))
    )
    assert first.champion.study_name == second.champion.study_name
    assert first.champion.cv_folds == second.champion.cv_folds
    assert first.champion.best_params == second.champion.best_params


def test_oversampling_before_the_split_cannot_leak(tmp_path):
    """The mistake behind the 0.88 of the literature: copies of training rows in the test set."""
    features, labels = problem(60, noise=1.0, seed=5)
    copies = np.random.default_rng(0).choice(len(labels), 300)
    features = pd.concat([features, features.iloc[copies]], ignore_index=True)
    labels = pd.concat(
        [labels, labels.iloc[copies].assign(disorder=[f"copy{i}" for i in range(300)])], ignore_index=True
    )
    tracker = RecordingTracker()
    tune = TUNE.replace(families=("extra_trees",))
    summary = tuned(tmp_path, tracker, KERNEL_TASK, {"plain": features}, labels, tune=tune)
    result = evaluate_task(summary, {"plain": features}, labels, settings=EVALUATE)
    # Pure noise: copies on both sides would score near 1.
    assert summary.champion.cv_mean < 0.75
    assert result.champion.scores["f1_weighted"].value < 0.8


def test_evaluation_gives_the_same_in_the_same_order_whatever_the_threads(evaluated, tables):
    summary, result, _, seen = evaluated
    threaded = []
    again = evaluate_task(summary, *tables, settings=EVALUATE.replace(n_jobs=3), on_model=threaded.append)
    assert again.to_dict() == result.to_dict()
    assert [model.study for model in threaded] == [model.study for model in seen] == list(summary.studies)
    for one, many in zip(seen, threaded, strict=True):
        for name, table in one.tables().items():
            pd.testing.assert_frame_equal(many.tables()[name], table)


def test_evaluation_refuses_other_data_than_tuning_had(tmp_path, tracker, tables):
    features, labels = tables
    tune = TUNE.replace(families=("xgboost",), feature_sets=("plain",), n_trials=1)
    summary = tuned(tmp_path, tracker, W_TASK, features, labels, tune=tune)
    with pytest.raises(DataError, match=r"must be the one of tuning .* tune again"):
        evaluate_task(summary, features, labels.assign(disorder="x" + labels["disorder"]), settings=EVALUATE)


def test_frozen_disorder_is_flagged_all_the_way(tmp_path, tracker, tables):
    features, labels = tables
    tune = TUNE.replace(families=("xgboost",), feature_sets=("plain",), n_trials=1)
    split = SplitSettings(frozen_disorder="curve")
    summary = tuned(tmp_path, tracker, W_TASK, features, frozen(labels), tune=tune, split=split)
    result = evaluate_task(summary, features, frozen(labels), settings=EVALUATE)
    assert summary.disorder == result.disorder == result.to_dict()["disorder"] == "frozen"
    assert all(run.record.tags["disorder"] == "frozen" for run in tracker.runs.values())


def test_noisy_copies_under_new_names_cannot_leak(tmp_path):
    """What SMOTE-like resampling before the split would do."""
    features, labels = problem(60, noise=1.0, seed=5)
    copies = np.random.default_rng(0).choice(len(labels), 300)
    jitter = np.random.default_rng(1).normal(0.0, 1e-4, (300, features.shape[1])).astype(np.float32)
    features = pd.concat([features, features.iloc[copies] + jitter], ignore_index=True)
    made_up = labels.iloc[copies].assign(disorder=[f"synthetic{i}" for i in range(300)])
    labels = pd.concat([labels, made_up], ignore_index=True)
    tune = TUNE.replace(families=("extra_trees",))
    tracker = RecordingTracker()
    summary = tuned(tmp_path, tracker, KERNEL_TASK, {"plain": features}, labels, tune=tune)
    result = evaluate_task(summary, {"plain": features}, labels, settings=EVALUATE)
    assert summary.champion.cv_mean < 0.75
    assert result.champion.scores["f1_weighted"].value < 0.8


def test_an_unknown_feature_set_is_refused(tmp_path, tracker, tables):
    with pytest.raises(ConfigurationError, match=r"must name tables among \['plain', 'poor'\], but names `rich`"):
        tuned(tmp_path, tracker, W_TASK, *tables, tune=TUNE.replace(feature_sets=("rich",)))


def test_a_failure_of_the_caller_is_not_swallowed(tmp_path, tracker, tables):
    tune = TUNE.replace(families=("xgboost",), feature_sets=("plain",), n_trials=1)
    summary = tuned(tmp_path, tracker, W_TASK, *tables, tune=tune)

    def fail(model):
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        evaluate_task(summary, *tables, settings=EVALUATE, on_model=fail)


def test_a_run_is_closed_as_failed_when_showing_a_model_fails(tracker):
    with pytest.raises(OSError, match="disk full"), closing_run(tracker, tracker.open_run(RunEntry("w", "study"))):
        raise OSError("disk full")
    assert [run.state for run in tracker.runs.values()] == ["failed"]


def test_shuffling_an_unused_feature_costs_nothing():
    class First:
        def predict(self, features):
            return features["f0"].to_numpy(dtype=float)

    features, _ = problem(50)
    y = features["f0"].to_numpy(dtype=float)
    table = permutation_importances(First(), features, y, W_TASK, columns=["f1", "f0"], repeats=3, seed=0)
    assert table["permutation"].tolist()[0] == 0.0
    assert table["permutation"].tolist()[1] == pytest.approx(2.0, abs=0.4)
