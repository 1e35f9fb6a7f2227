"""Tasks: a few lines of YAML each."""

import numpy as np
import pandas as pd
import pytest
import yaml
from pydantic import BaseModel

from nmr_platform.errors import ConfigurationError, DataError
from nmr_platform.learning.settings import SplitSettings
from nmr_platform.learning.splitting import task_rows
from nmr_platform.learning.tasks import ClassificationTask, RegressionTask, Task
from nmr_platform.schema import validate
from tests.learning.problems import KERNELS, problem


class Tasks(BaseModel):
    tasks: dict[str, Task]


def test_a_task_is_a_few_lines_of_yaml():
    text = """
    tasks:
      kernel_integral: {kind: regression, target: W, kernels: [gaussian]}
      power_or_not: {kind: classification, kernels: [gaussian, power, rkky], positive: power}
    """
    tasks = validate(Tasks, yaml.safe_load(text)).tasks
    assert tasks["kernel_integral"] == RegressionTask(target="W", kernels=("gaussian",))
    assert tasks["power_or_not"].class_names == ("power", "other")


def test_a_regression_selects_its_kernels_and_reads_its_target():
    _, labels = problem(4)
    task = RegressionTask(target="W", kernels=("power", "rkky"))
    assert task.select(labels).sum() == 8
    np.testing.assert_array_equal(task.y(labels), labels["W"])
    assert (task.metric, task.unit, task.class_names, task.strata(labels)) == ("r2", "MHz", (), None)


def test_a_classification_without_positive_tells_all_kernels_apart():
    _, labels = problem(2)
    task = ClassificationTask()
    assert task.metric == "f1_weighted"
    assert task.class_names == ("gaussian", "power", "rkky")
    np.testing.assert_array_equal(task.y(labels), labels["kernel"])


def test_a_positive_kernel_stands_against_all_others():
    _, labels = problem(2)
    y = ClassificationTask(positive="power").y(labels)
    assert list(y) == ["other", "other", "power", "power", "other", "other"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"kind": "classification", "kernels": ["power"]}, "two kernels or more"),
        ({"kind": "classification", "kernels": ["gaussian", "rkky"], "positive": "power"}, "`positive` must be one of"),
        ({"kind": "regression", "kernels": ["power", "power"]}, "every kernel once"),
        ({"kind": "regression", "kernels": []}, "it must have 1 or more|at least 1"),
        ({"kind": "ranking"}, "ranking|kind"),
        ({"kind": "regression", "positive": "power"}, "positive` is not known"),
    ],
)
def test_a_wrong_task_is_refused_with_a_sentence(values, message):
    with pytest.raises(ConfigurationError, match=message):
        validate(Tasks, {"tasks": {"a": values}})


def test_a_target_that_a_kernel_does_not_have_is_refused():
    _, labels = problem(2)
    with pytest.raises(DataError, match=r"`xi` must be a number .* curves of kernel `power` have none"):
        RegressionTask(target="xi", kernels=("gaussian", "power")).y(labels)


@pytest.mark.parametrize("target", ["gamma_plus", "gamma_minus", "gamma_z", "alpha", "exponent"])
def test_whatever_was_drawn_can_be_a_target(target):
    _, labels = problem(4)
    labels[target] = np.linspace(0.0, 1.0, len(labels))
    task = validate(Tasks, {"tasks": {"rate": {"kind": "regression", "target": target}}}).tasks["rate"]
    task.check(labels)
    np.testing.assert_array_equal(task.y(labels), labels[target])


@pytest.mark.parametrize("target", ["V", "curve", "disorder", "kernel", "seed"])
def test_what_is_no_property_of_the_sample_is_refused_as_a_target(target):
    _, labels = problem(2)
    with pytest.raises(DataError, match=f"must be one of W, xi for these curves, but is '{target}'"):
        RegressionTask(target=target).y(labels.assign(seed=3))


@pytest.mark.parametrize("value", [0.0, 2.0])
def test_a_target_that_does_not_vary_is_refused(value):
    _, labels = problem(5)
    task = RegressionTask(target="exponent", kernels=("gaussian",))
    with pytest.raises(DataError, match=rf"`exponent` must differ between curves .* but is {value:g} for all 5 of"):
        task_rows(task, {}, labels.assign(exponent=value), SplitSettings())


def test_a_target_that_varies_by_rounding_alone_is_refused():
    _, labels = problem(5)
    rounding = 2.0 + 1e-15 * np.arange(len(labels))
    with pytest.raises(DataError, match=r"`exponent` must differ between curves .* but is 2 for all"):
        RegressionTask(target="exponent").check(labels.assign(exponent=rounding))


def test_classes_are_weighted_by_their_size():
    # Precision and recall of the frequent class are 3/4 and 1, those of the rare one 1 and 1/2.
    true, predicted = np.array(["power"] * 3 + ["other"] * 2), np.array(["power"] * 4 + ["other"])
    frequent, rare = 2 * 0.75 / 1.75, 2 * 0.5 / 1.5
    assert ClassificationTask(positive="power").score(true, predicted) == pytest.approx(0.6 * frequent + 0.4 * rare)


def test_a_regression_pools_kernels():
    features, labels = problem(40)
    rows = task_rows(RegressionTask(target="W", kernels=KERNELS), {"t": features}, labels, SplitSettings())
    assert set(rows.training_part("t").labels["kernel"]) == set(rows.held_out("t").labels["kernel"]) == set(KERNELS)


def test_a_kernel_without_curves_is_refused():
    labels = pd.DataFrame({"kernel": ["gaussian"]})
    with pytest.raises(DataError, match="curves of kernel `power`"):
        RegressionTask(kernels=("power",)).select(labels)
