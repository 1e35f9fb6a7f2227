"""Estimators at rest: the same predictions after reading, and nothing read but models."""

import sys
import zipfile

import numpy as np
import pytest
import skops.io
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from nmr_platform.errors import DataError
from nmr_platform.learning.models.lightgbm import LightGBM
from nmr_platform.learning.models.persistence import load_estimator, save_estimator
from nmr_platform.learning.models.xgboost import XGBoost
from nmr_platform.learning.tasks import ClassificationTask, RegressionTask
from tests.learning.extras import EVERY_FAMILY, needs_library_of
from tests.learning.problems import problem

FEATURES, LABELS = problem(20)


def small(kind, task):
    """An estimator of a kind of family with the first parameters that its space suggests."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    family = kind().sized(5)
    trial = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0)).ask()
    return family.build(family.search_space(trial), task, seed=0)


class Foreign(LinearRegression):
    """A type that no model of the package is made of."""


@pytest.mark.parametrize("family", EVERY_FAMILY)
@pytest.mark.parametrize("task", [RegressionTask(kernels=("gaussian", "power", "rkky")), ClassificationTask()])
def test_every_family_predicts_the_same_after_reading(tmp_path, family, task):
    made = small(family, task).fit(FEATURES, task.y(LABELS))
    read = load_estimator(tmp_path / save_estimator(made, tmp_path))
    np.testing.assert_array_equal(read.predict(FEATURES), made.predict(FEATURES))
    if task.class_names:
        assert list(read.classes_) == list(made.classes_)
        np.testing.assert_array_equal(read.predict_proba(FEATURES), made.predict_proba(FEATURES))


@pytest.mark.parametrize("family", EVERY_FAMILY)
@pytest.mark.parametrize("task", [RegressionTask(kernels=("gaussian", "power", "rkky")), ClassificationTask()])
def test_a_model_fitted_and_written_twice_gives_the_same_bytes(tmp_path, family, task):
    """DVC hashes it."""
    written = []
    for name in ("first", "second"):
        folder = tmp_path / name
        folder.mkdir()
        made = small(family, task).fit(FEATURES, task.y(LABELS))
        written.append((folder / save_estimator(made, folder)).read_bytes())
    assert written[0] == written[1]


@needs_library_of(LightGBM)
def test_a_model_whose_library_is_missing_is_refused_with_the_name_of_its_extra(tmp_path, monkeypatch):
    task = RegressionTask(kernels=("gaussian",))
    path = tmp_path / save_estimator(small(LightGBM, task).fit(FEATURES, task.y(LABELS)), tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "lightgbm"]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(DataError, match=r"needs a library .*: `pip install 'nmr-platform\[lightgbm\]'` installs it"):
        load_estimator(path)


@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_calibrated_classifiers_can_be_kept(tmp_path, method):
    task = ClassificationTask()
    made = CalibratedClassifierCV(small(XGBoost, task), method=method, cv=2, ensemble=False)
    made.fit(FEATURES, task.y(LABELS))
    read = load_estimator(tmp_path / save_estimator(made, tmp_path))
    np.testing.assert_array_equal(read.predict_proba(FEATURES), made.predict_proba(FEATURES))


def test_histogram_boosting_can_be_kept(tmp_path):
    made = HistGradientBoostingRegressor(max_iter=3).fit(FEATURES, LABELS["W"])
    read = load_estimator(tmp_path / save_estimator(made, tmp_path))
    np.testing.assert_array_equal(read.predict(FEATURES), made.predict(FEATURES))


def test_a_foreign_type_is_refused_when_written(tmp_path):
    with pytest.raises(DataError, match=r"made of types of scikit-learn.*, but holds .*Foreign"):
        save_estimator(Foreign().fit(FEATURES, LABELS["W"]), tmp_path)


def test_a_file_that_brings_a_function_along_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "Pipeline.skops"
    skops.io.dump(make_pipeline(FunctionTransformer(np.testing.rundocs), LinearRegression()), path)
    with pytest.raises(DataError, match=r"Pipeline\.skops` must be made of .*, but holds .*rundocs"):
        load_estimator(path)


def test_a_type_within_a_trusted_library_is_no_passport(tmp_path):
    """MLflow's skops format would take this: the list of what to trust lies beside the model."""
    forest = RandomForestRegressor(n_estimators=2).fit(FEATURES, LABELS["W"])
    forest.extra_ = Foreign
    path = tmp_path / "RandomForestRegressor.skops"
    skops.io.dump(forest, path)
    with pytest.raises(DataError, match=r"but holds .*Foreign"):
        load_estimator(path)


@pytest.mark.parametrize("content", [b"", b"no model at all", None], ids=["empty", "text", "missing"])
def test_a_damaged_file_is_refused_with_the_command_that_makes_it(tmp_path, content):
    name = "RandomForestRegressor.skops"
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=rf"{name}` is missing or damaged .*make it again with `nmr evaluate`"):
        load_estimator(tmp_path / name)


def test_an_archive_without_a_schema_is_refused(tmp_path):
    path = tmp_path / "Pipeline.skops"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("other.txt", "nothing")
    with pytest.raises(DataError, match="is missing or damaged"):
        load_estimator(path)
