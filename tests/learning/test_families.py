"""Every model family keeps one contract."""

import pickle

import numpy as np
import optuna
import pytest
from sklearn.base import clone

from nmr_platform.errors import ConfigurationError
from nmr_platform.learning import boosting
from nmr_platform.learning.boosting import BalancedXGBClassifier, XGBoost
from nmr_platform.learning.families import describe_space, make_family
from nmr_platform.learning.forests import ExtraTrees, RandomForest
from nmr_platform.learning.settings import TuneSettings
from nmr_platform.learning.tasks import ClassificationTask
from tests.learning.problems import KERNEL_TASK, W_TASK, problem


class ModelFamilyContract:
    """What a family must keep; a new one inherits this and gives itself."""

    family = None

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

    @pytest.mark.parametrize("task", [KERNEL_TASK, ClassificationTask()], ids=["two classes", "three classes"])
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
        again.set_params(n_jobs=1)
        np.testing.assert_array_equal(model.predict(x), again.predict(x))

    @pytest.mark.parametrize("task", [W_TASK, KERNEL_TASK], ids=["regression", "classification"])
    def test_a_model_survives_pickling_and_a_clone_can_be_fitted(self, task):
        model, x, y = self.fitted(task)
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(x), model.predict(x))
        np.testing.assert_array_equal(clone(model).fit(x, y).predict(x), model.predict(x))

    def test_every_feature_has_an_importance(self):
        model, x, _ = self.fitted(W_TASK)
        assert model.feature_importances_.shape == (x.shape[1],)
        assert model.feature_importances_.argmax() == 0

    def test_classes_are_weighted_so_that_a_rare_class_is_found(self):
        rng = np.random.default_rng(0)
        y = np.where(np.arange(400) < 40, "power", "other")
        x = rng.normal(0.0, 1.0, (400, 2)).astype(np.float32) + 1.2 * (y == "power")[:, None]
        params = {**self.params(), "max_depth": 2, "n_estimators": 40}
        model = self.family.build(params, KERNEL_TASK, seed=0).fit(x, y)
        recall = np.mean(model.predict(x)[y == "power"] == "power")
        assert recall > 0.6


class TestRandomForest(ModelFamilyContract):
    family = RandomForest(n_estimators=30)


class TestExtraTrees(ModelFamilyContract):
    family = ExtraTrees(n_estimators=30)


class TestXGBoost(ModelFamilyContract):
    family = XGBoost()


def test_families_are_made_by_name():
    settings = TuneSettings(n_estimators=7)
    assert [make_family(name, settings).name for name in settings.families] == list(settings.families)
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
