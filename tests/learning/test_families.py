"""Every model family keeps one contract."""

import pickle
from typing import ClassVar, get_args

import numpy as np
import optuna
import pytest
from sklearn.base import clone

from nmr_platform.errors import ConfigurationError
from nmr_platform.learning.evaluation.importances import impurity_importances
from nmr_platform.learning.evaluation.shapley import shap_importances
from nmr_platform.learning.models import boosting
from nmr_platform.learning.models.boosting import BalancedXGBClassifier, XGBoost
from nmr_platform.learning.models.estimator import without_threads
from nmr_platform.learning.models.families import describe_space, make_family
from nmr_platform.learning.models.forests import ExtraTrees, RandomForest
from nmr_platform.learning.models.histogram import HistogramBoosting
from nmr_platform.learning.models.linear import Linear
from nmr_platform.learning.settings import FamilyName, TuneSettings
from nmr_platform.learning.tasks import ClassificationTask
from tests.learning.problems import KERNEL_TASK, W_TASK, problem

# Unlike power, which lies between the others, rkky can be told by a straight line.
RKKY_TASK = ClassificationTask(positive="rkky")


class ModelFamilyContract:
    """What a family must keep; a new one inherits this and gives itself."""

    family = None
    shallow: ClassVar = {"max_depth": 2, "n_estimators": 40}

    def params(self, seed=0):
        trial = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed)).ask()
        return self.family.search_space(trial)

    def fitted(self, task, seed=0, n_jobs=1):
        features, labels = problem(40)
        rows = task.select(labels)
        x, y = features.loc[rows], task.y(labels.loc[rows])
        return self.family.build(self.params(), task, seed=seed, n_jobs=n_jobs).fit(x, y), x, y

    def test_every_trial_has_the_same_space_and_plain_parameters(self):
        first, second = self.params(0), self.params(1)
        assert first.keys() == second.keys()
        assert first != second
        assert all(isinstance(value, int | float | str | None) for value in first.values())
        assert describe_space(self.family) == describe_space(self.family)

    def test_a_regression_beats_the_mean(self):
        model, x, y = self.fitted(W_TASK)
        assert np.mean((model.predict(x) - y) ** 2) < 0.9 * np.var(y)

    @pytest.mark.parametrize("task", [RKKY_TASK, ClassificationTask()], ids=["two classes", "three classes"])
    def test_a_classification_takes_and_gives_class_names(self, task):
        model, x, y = self.fitted(task)
        predicted = model.predict(x)
        assert set(predicted) <= set(task.class_names)
        assert set(model.classes_) == set(task.class_names)
        assert np.mean(predicted == y) > 0.8
        assert model.predict_proba(x).shape == (len(x), len(task.class_names))

    @pytest.mark.parametrize("task", [W_TASK, KERNEL_TASK], ids=["regression", "classification"])
    def test_the_same_seed_gives_the_same_model_whatever_the_threads(self, task):
        model, x, _ = self.fitted(task)
        again, _, _ = self.fitted(task, n_jobs=2)
        # With threads, forests add up their trees in any order.
        without_threads(again)
        np.testing.assert_array_equal(model.predict(x), again.predict(x))

    @pytest.mark.parametrize("task", [W_TASK, KERNEL_TASK], ids=["regression", "classification"])
    def test_a_model_survives_pickling_and_a_clone_can_be_fitted(self, task):
        model, x, y = self.fitted(task)
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(x), model.predict(x))
        np.testing.assert_array_equal(clone(model).fit(x, y).predict(x), model.predict(x))

    @pytest.mark.parametrize(
        ("task", "leading"),
        [(W_TASK, "f0"), (RKKY_TASK, "f1"), (ClassificationTask(), "f1")],
        ids=["regression", "two classes", "three classes"],
    )
    def test_every_feature_has_an_importance_and_a_shap_value(self, task, leading):
        model, x, _ = self.fitted(task)
        table = impurity_importances(model, x)
        assert set(table["feature"]) == set(x.columns)
        assert table["impurity"].sum() == pytest.approx(1.0)
        assert table["feature"][0] == leading
        values = shap_importances(model, x, rows=20, seed=0)
        assert list(values["feature"]) == list(x.columns)
        assert values["feature"][values["shap"].idxmax()] == leading

    def test_classes_are_weighted_so_that_a_rare_class_is_found(self):
        rng = np.random.default_rng(0)
        y = np.where(np.arange(400) < 40, "power", "other")
        x = rng.normal(0.0, 1.0, (400, 2)).astype(np.float32) + 1.2 * (y == "power")[:, None]
        model = self.family.build({**self.params(), **self.shallow}, KERNEL_TASK, seed=0).fit(x, y)
        recall = np.mean(model.predict(x)[y == "power"] == "power")
        assert recall > 0.6


class TestRandomForest(ModelFamilyContract):
    family = RandomForest(n_estimators=30)


class TestExtraTrees(ModelFamilyContract):
    family = ExtraTrees(n_estimators=30)


class TestXGBoost(ModelFamilyContract):
    family = XGBoost()


class TestHistogramBoosting(ModelFamilyContract):
    family = HistogramBoosting()
    shallow: ClassVar = {"max_depth": 2, "max_iter": 40}


class TestLinear(ModelFamilyContract):
    family = Linear()
    shallow: ClassVar = {}

    def test_columns_that_are_nearly_equal_do_no_harm(self):
        rng = np.random.default_rng(0)
        y = rng.uniform(0.1, 0.3, 80)
        x = (y[:, np.newaxis] + 1e-6 * rng.normal(size=(80, 300))).astype(np.float32)
        model = self.family.build({"penalty": 1e-3}, W_TASK, seed=0).fit(x, y)
        assert np.abs(model.predict(x) - y).max() < 1e-3


def test_families_are_made_by_name():
    settings = TuneSettings(n_estimators=7)
    assert [make_family(name, settings).name for name in get_args(FamilyName)] == list(get_args(FamilyName))
    assert make_family("extra_trees", settings) == ExtraTrees(7)


def test_an_unknown_family_is_refused():
    with pytest.raises(ConfigurationError, match="but names `perceptron`"):
        make_family("perceptron", TuneSettings())


def test_class_names_survive_the_model_files_of_xgboost(tmp_path):
    features, labels = problem(20)
    y = labels["kernel"].to_numpy(dtype=str)
    model = BalancedXGBClassifier(n_estimators=5, n_jobs=1).fit(features, y)
    model.save_model(tmp_path / "model.ubj")
    loaded = BalancedXGBClassifier()
    loaded.load_model(tmp_path / "model.ubj")
    np.testing.assert_array_equal(loaded.predict(features), model.predict(features))


def test_sample_weights_come_from_the_rows_that_are_fitted_and_no_others(monkeypatch):
    seen = []
    original = boosting.compute_sample_weight
    monkeypatch.setattr(boosting, "compute_sample_weight", lambda kind, y: seen.append(len(y)) or original(kind, y))
    features, labels = problem(20)
    y = labels["kernel"].to_numpy(dtype=str)
    fold = np.arange(0, 60, 2)
    BalancedXGBClassifier(n_estimators=2, n_jobs=1).fit(features.iloc[fold], y[fold])
    assert seen == [len(fold)]


@pytest.mark.parametrize("task", [W_TASK, KERNEL_TASK, ClassificationTask()], ids=["numbers", "two", "three"])
def test_a_watched_fit_is_the_same_fit_and_tells_what_it_would_predict(task):
    features, labels = problem(40)
    rows = task.select(labels)
    x, y = features.loc[rows].to_numpy(), task.y(labels.loc[rows])
    params = {"n_estimators": 75, "max_depth": 2, "subsample": 0.7}
    plain, watched = (XGBoost().build(params, task, seed=0) for _ in range(2))
    seen = {}
    XGBoost().fit_watched(watched, (x, y), x, seen.__setitem__)
    np.testing.assert_array_equal(watched.predict(x), plain.fit(x, y).predict(x))
    assert list(seen) == [25, 50, 75]
    np.testing.assert_array_equal(seen[75], plain.predict(x))
    assert watched.get_params()["callbacks"] is None


def test_whoever_watches_a_fit_can_stop_it():
    features, labels = problem(40)

    def stop(done, predicted):
        raise optuna.TrialPruned

    model = XGBoost().build({"n_estimators": 400}, W_TASK, seed=0)
    with pytest.raises(optuna.TrialPruned, match=r"^$"):
        XGBoost().fit_watched(model, (features.to_numpy(), W_TASK.y(labels)), features.to_numpy(), stop)
