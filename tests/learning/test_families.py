"""Every model family keeps one contract."""

import importlib
import pickle
from importlib.metadata import version
from typing import ClassVar

import numpy as np
import optuna
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from xgboost import XGBClassifier

from nmr_platform.errors import ConfigurationError
from nmr_platform.learning.evaluation.explanation import impurity_importances, shap_importances
from nmr_platform.learning.models import describe_space, find_family, load_estimator, save_estimator, without_threads
from nmr_platform.learning.models import family as base
from nmr_platform.learning.models import xgboost as boosting
from nmr_platform.learning.models.catboost import CatBoost
from nmr_platform.learning.models.families import FAMILIES, installed_requirements, model_requirements
from nmr_platform.learning.models.forests import ExtraTrees, RandomForest
from nmr_platform.learning.models.histogram_boosting import HistogramBoosting
from nmr_platform.learning.models.lightgbm import LightGBM
from nmr_platform.learning.models.linear import Linear
from nmr_platform.learning.models.posterior import NeuralPosterior
from nmr_platform.learning.models.smooth import Smooth
from nmr_platform.learning.models.xgboost import BalancedClasses, XGBoost
from nmr_platform.learning.settings import TuneSettings
from nmr_platform.learning.tasks import ClassificationTask
from nmr_platform.schema import validate
from tests.learning.extras import needs_library_of
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
        table = impurity_importances(self.family, model, x)
        assert set(table["feature"]) == set(x.columns)
        assert table["impurity"].sum() == pytest.approx(1.0)
        assert table["feature"][0] == leading
        values = shap_importances(self.family, model, x, rows=20, seed=0)
        assert list(values["feature"]) == list(x.columns)
        assert values["feature"][values["shap"].idxmax()] == leading

    def test_classes_are_weighted_so_that_a_rare_class_is_found(self):
        rng = np.random.default_rng(0)
        y = np.where(np.arange(400) < 40, "power", "other")
        x = rng.normal(0.0, 1.0, (400, 2)).astype(np.float32) + 1.2 * (y == "power")[:, None]
        model = self.family.build({**self.params(), **self.shallow}, KERNEL_TASK, seed=0).fit(x, y)
        recall = np.mean(model.predict(x)[y == "power"] == "power")
        assert recall > 0.6

    @pytest.mark.parametrize("shift", [0.0, 30.0, -1e6], ids=["as it is", "shifted", "shifted far"])
    @pytest.mark.parametrize("unit", [1e-9, 1.0, 1e9])
    def test_the_unit_and_the_size_of_a_target_do_not_matter(self, unit, shift):
        features, labels = problem(120)
        rows = W_TASK.select(labels)
        x, w = features.loc[rows], W_TASK.y(labels.loc[rows])
        fit, rest = np.arange(len(x)) % 3 > 0, np.arange(len(x)) % 3 == 0

        def r2(y):
            model = self.family.build(self.params(), W_TASK, seed=0).fit(x[fit], y[fit])
            return W_TASK.score(y[rest], model.predict(x[rest]))

        assert r2(w) > 0.2
        assert r2(unit * (w + shift)) == pytest.approx(r2(w), abs=0.02)

    def test_explanations_and_intervals_are_in_the_unit_of_the_target(self):
        features, labels = problem(40)
        rows = W_TASK.select(labels)
        x, w = features.loc[rows], W_TASK.y(labels.loc[rows])
        small, large = (self.family.build(self.params(), W_TASK, seed=0).fit(x, unit * w) for unit in (2.0**-30, 1.0))
        shap = [shap_importances(self.family, model, x, rows=20, seed=0)["shap"] for model in (small, large)]
        np.testing.assert_allclose(2.0**30 * shap[0], shap[1], rtol=1e-5)
        np.testing.assert_allclose(2.0**30 * small.predict(x), large.predict(x), rtol=1e-6)

    @pytest.mark.parametrize("task", [W_TASK, KERNEL_TASK], ids=["regression", "classification"])
    def test_whether_a_fit_is_watched_changes_nothing(self, task):
        model, x, y = self.fitted(task)
        watched, seen = self.family.build(self.params(), task, seed=0), []
        self.family.fit_watched(watched, (x, y), x.to_numpy(), lambda _, predicted: seen.append(predicted))
        np.testing.assert_array_equal(watched.predict(x), model.predict(x))
        assert all(len(predicted) == len(x) for predicted in seen)

    @pytest.mark.parametrize("task", [W_TASK, ClassificationTask()], ids=["regression", "classification"])
    def test_a_model_is_kept_without_pickles(self, tmp_path, task):
        model, x, _ = self.fitted(task)
        read = load_estimator(tmp_path / save_estimator(model, tmp_path))
        np.testing.assert_array_equal(read.predict(x), model.predict(x))

    def test_trusted_types_exist_and_requirements_are_installed(self):
        for name in self.family.trusted_types:
            module, _, kind = name.rpartition(".")
            assert isinstance(getattr(importlib.import_module(module), kind), type)
        for name in self.family.requirements:
            assert version({"xgboost": "xgboost-cpu"}.get(name, name))

    def test_its_name_in_params_yaml_stands_for_it(self):
        kind = self.family.kind
        by_name, by_kind = (TuneSettings(families=[given]).families for given in (kind, {"kind": kind}))
        assert by_name == by_kind == (find_family(kind),)
        assert type(self.family) in FAMILIES


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


class TestSmooth(ModelFamilyContract):
    family = Smooth()
    shallow: ClassVar = {}

    def test_a_curved_function_is_learnt_from_few_rows(self):
        rng = np.random.default_rng(0)
        x = rng.normal(size=(300, 3)).astype(np.float32)
        y = np.sin(x[:, 0]) * x[:, 1]
        model = self.family.build({"width": 1.0, "penalty": 1e-3}, W_TASK, seed=0).fit(x[:200], y[:200])
        assert W_TASK.score(y[200:], model.predict(x[200:])) > 0.98

    def test_contributions_add_up_to_what_the_model_says_less_what_it_says_of_the_mean(self):
        features, labels = problem(40)
        rows = W_TASK.select(labels)
        x, y = features.loc[rows], W_TASK.y(labels.loc[rows])
        model = self.family.regressor(self.params(), seed=0, n_jobs=1).fit(x, y)
        told = self.family.contributions(model, x).sum(axis=(1, 2))
        mean = model.predict(x.mean().to_frame().T.astype(np.float32))
        np.testing.assert_allclose(told, model.predict(x) - mean, atol=2e-3 * np.ptp(y))


@needs_library_of(LightGBM)
class TestLightGBM(ModelFamilyContract):
    family = LightGBM.model_construct()


@needs_library_of(CatBoost)
class TestCatBoost(ModelFamilyContract):
    family = CatBoost.model_construct()


@needs_library_of(NeuralPosterior)
class TestNeuralPosterior(ModelFamilyContract):
    family = NeuralPosterior.model_construct()
    shallow: ClassVar = {}


def test_families_are_made_by_name():
    names = ["random_forest", "extra_trees", "xgboost", "histogram_boosting", "linear", "smooth"]
    default = [kind for kind in FAMILIES if kind.library is None]
    assert [find_family(name).kind for name in names] == names == [kind().kind for kind in default]
    extras = {kind.model_fields["kind"].default: kind.library for kind in FAMILIES if kind.library}
    assert extras == {"lightgbm": "lightgbm", "catboost": "catboost", "posterior": "optax"}


@pytest.mark.parametrize("kind", ["lightgbm", "catboost", "posterior"])
def test_a_family_whose_library_is_missing_is_refused_with_the_name_of_its_extra(monkeypatch, kind):
    monkeypatch.setattr(base, "find_spec", lambda _name: None)
    sentence = rf"^The family {kind} needs a library .*: `pip install 'nmr-platform\[{kind}\]'` installs it\.$"
    for ask in (lambda: find_family(kind), lambda: validate(TuneSettings, {"families": ["linear", kind]})):
        with pytest.raises(ConfigurationError, match=sentence):
            ask()
    assert kind not in installed_requirements()


def test_a_model_needs_the_default_set_up_and_the_library_of_its_own_extra():
    default = ("scikit-learn", "skops", "xgboost")
    assert model_requirements(find_family("linear").build({"penalty": 1.0}, W_TASK, seed=0)) == default
    assert model_requirements(XGBoost().build({}, KERNEL_TASK, seed=0)) == default


@pytest.mark.parametrize("kind", [pytest.param(kind, marks=needs_library_of(kind)) for kind in (LightGBM, CatBoost)])
@pytest.mark.parametrize("task", [W_TASK, KERNEL_TASK], ids=["regression", "classification"])
def test_a_model_of_an_extra_names_its_library(kind, task):
    model = kind().build({}, task, seed=0)
    around = CalibratedClassifierCV(model) if task.class_names else model
    assert model_requirements(around) == tuple(sorted(("scikit-learn", "skops", "xgboost", kind.library)))


def test_a_forest_has_as_many_trees_as_it_is_given_or_else_as_tune_says():
    own = {"kind": "random_forest", "n_estimators": 30}
    settings = TuneSettings(n_estimators=7, families=["extra_trees", own, "linear"])
    assert settings.family("extra_trees") == ExtraTrees(n_estimators=7)
    assert settings.family("random_forest") == RandomForest(n_estimators=30)
    assert settings.family("linear") == Linear()


def test_an_unknown_family_is_refused():
    with pytest.raises(ConfigurationError, match=r"must be one of random_forest.* but is `perceptron`"):
        find_family("perceptron")
    with pytest.raises(ConfigurationError, match=r"Key `families` must name some of .*, but names `perceptron`"):
        validate(TuneSettings, {"families": ["perceptron"]})
    with pytest.raises(ConfigurationError, match=r"must be one of those that were tuned \(linear\), but is `xgboost`"):
        TuneSettings(families=["linear"]).family("xgboost")


def test_a_family_is_named_once():
    with pytest.raises(ConfigurationError, match="must name every family once, but names linear, linear"):
        validate(TuneSettings, {"families": ["linear", {"kind": "linear"}]})


def test_a_small_target_with_spread_enough_keeps_its_score_in_xgboost():
    """A coupling of 1e-4 MHz: XGBoost drops splits of a gain below 1e-6, so that it learnt nothing from it."""
    features, labels = problem(120)
    y = 1e-3 * labels["W"].to_numpy()
    model = XGBoost().build({"n_estimators": 100, "max_depth": 3}, W_TASK, seed=0).fit(features, y)
    assert W_TASK.score(y, model.predict(features)) > 0.9
    assert W_TASK.score(y, model.model.fit(features, y).predict(features)) < 0.6


def test_a_target_of_the_size_of_its_spread_is_learnt_to_the_bit_as_if_it_were_not_scaled():
    features, labels = problem(60)
    y = labels["W"].to_numpy()
    made = ExtraTrees().build({"n_estimators": 20, "max_depth": 9}, W_TASK, seed=0)
    np.testing.assert_array_equal(
        made.fit(features, y).predict(features), clone(made.model).fit(features, y).predict(features)
    )


def test_class_names_survive_the_model_files_of_xgboost(tmp_path):
    features, labels = problem(20)
    y = labels["kernel"].to_numpy(dtype=str)
    model = BalancedClasses(XGBClassifier(n_estimators=5, n_jobs=1)).fit(features, y)
    loaded = load_estimator(tmp_path / save_estimator(model, tmp_path))
    assert list(loaded.classes_) == ["gaussian", "power", "rkky"]
    np.testing.assert_array_equal(loaded.predict(features), model.predict(features))


def test_sample_weights_come_from_the_rows_that_are_fitted_and_no_others(monkeypatch):
    seen = []
    original = boosting.compute_sample_weight
    monkeypatch.setattr(boosting, "compute_sample_weight", lambda kind, y: seen.append(len(y)) or original(kind, y))
    features, labels = problem(20)
    y = labels["kernel"].to_numpy(dtype=str)
    fold = np.arange(0, 60, 2)
    BalancedClasses(XGBClassifier(n_estimators=2, n_jobs=1)).fit(features.iloc[fold], y[fold])
    assert seen == [len(fold)]


WATCHED = [pytest.param(kind, marks=needs_library_of(kind)) for kind in (XGBoost, LightGBM)]


@pytest.mark.parametrize("kind", WATCHED)
@pytest.mark.parametrize("task", [W_TASK, KERNEL_TASK, ClassificationTask()], ids=["numbers", "two", "three"])
def test_a_watched_fit_is_the_same_fit_and_tells_what_it_would_predict(kind, task):
    features, labels = problem(40)
    rows = task.select(labels)
    x, y = features.loc[rows].to_numpy(), task.y(labels.loc[rows])
    params = {"n_estimators": 75, "max_depth": 2, "subsample": 0.7}
    plain, watched = (kind().build(params, task, seed=0) for _ in range(2))
    seen = {}
    kind().fit_watched(watched, (x, y), x, seen.__setitem__)
    np.testing.assert_array_equal(watched.predict(x), plain.fit(x, y).predict(x))
    assert list(seen) == [25, 50, 75]
    np.testing.assert_array_equal(seen[75], plain.predict(x))
    assert watched.get_params().get("model__callbacks") is None


@pytest.mark.parametrize("kind", WATCHED)
def test_whoever_watches_a_fit_can_stop_it(kind):
    features, labels = problem(40)

    def stop(done, predicted):
        raise optuna.TrialPruned

    model = kind().build({"n_estimators": 400}, W_TASK, seed=0)
    with pytest.raises(optuna.TrialPruned, match=r"^$"):
        kind().fit_watched(model, (features.to_numpy(), W_TASK.y(labels)), features.to_numpy(), stop)
