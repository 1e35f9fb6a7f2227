"""Two models on the same curves: what they share cancels, and other curves are refused."""

import numpy as np
import pandas as pd
import pytest

from nmr_platform.errors import DataError
from nmr_platform.learning import Bootstrap, RegressionTask, paired_gain, standings
from nmr_platform.learning.tasks import ClassificationTask

N = 60
TASK = RegressionTask(target="W")
KERNELS = ClassificationTask(kernels=("gaussian", "power"))


def predictions(error, seed=0):
    rng = np.random.default_rng(seed)
    true = np.linspace(0.1, 0.3, N)
    return pd.DataFrame(
        {
            "kernel": "gaussian",
            "curve": np.arange(N),
            "disorder": np.arange(N),
            "true": true,
            "predicted": true + error * rng.standard_normal(N),
        }
    )


def test_a_model_gains_nothing_over_itself():
    gain = paired_gain(TASK, predictions(0.02), predictions(0.02), Bootstrap())
    assert (gain.value, gain.lower, gain.upper) == (0.0, 0.0, 0.0)


def test_the_gain_is_the_difference_of_the_scores():
    old, new = predictions(0.05), predictions(0.01, seed=1)
    r2 = [
        1 - ((t["predicted"] - t["true"]) ** 2).sum() / ((t["true"] - t["true"].mean()) ** 2).sum() for t in (old, new)
    ]
    gain = paired_gain(TASK, old, new, Bootstrap())
    assert gain.value == pytest.approx(r2[1] - r2[0])
    assert 0 < gain.lower < gain.value < gain.upper


def test_an_error_that_both_make_cancels():
    old = predictions(0.05)
    new = old.assign(predicted=old["predicted"] + 1e-4)
    paired = paired_gain(TASK, old, new, Bootstrap())
    apart = paired_gain(TASK, old, predictions(0.05, seed=1), Bootstrap())
    assert paired.upper - paired.lower < 0.1 * (apart.upper - apart.lower)


def test_the_order_of_the_curves_does_not_matter():
    old, new = predictions(0.05), predictions(0.01, seed=1)
    assert paired_gain(TASK, old, new, Bootstrap()) == paired_gain(TASK, old, new[::-1], Bootstrap())


def test_kernels_are_compared_by_their_weighted_f1():
    true = np.array(["gaussian", "power"] * 30)
    old = predictions(0.0).assign(true=true, predicted="gaussian")
    gain = paired_gain(KERNELS, old, old.assign(predicted=true), Bootstrap())
    assert gain.value == pytest.approx(1 - 1 / 3)


def test_other_curves_are_refused():
    with pytest.raises(DataError, match="on the same curves only, but these share 50 of 60"):
        paired_gain(TASK, predictions(0.1), predictions(0.1)[:50], Bootstrap())


def test_another_truth_is_refused():
    old = predictions(0.1)
    with pytest.raises(DataError, match="on the same curves only"):
        paired_gain(TASK, old, old.assign(true=old["true"] + 0.1), Bootstrap())


def test_models_that_cannot_be_told_apart_share_a_rank():
    models = {"a": predictions(0.02), "b": predictions(0.021, seed=1), "blunt": predictions(0.08, seed=2)}
    first, second, last = standings(TASK, models, Bootstrap())
    assert [first.rank, second.rank, last.rank] == [1, 1, 3]
    assert second.behind.lower < 0 < second.behind.upper
    assert last.behind.lower > 0
    assert (first.behind.value, first.behind.lower, first.behind.upper) == (0.0, 0.0, 0.0)


def test_a_model_that_says_the_same_is_not_beaten():
    assert [each.rank for each in standings(TASK, {"a": predictions(0.02), "b": predictions(0.02)}, Bootstrap())] == [
        1,
        1,
    ]


def test_intervals_of_many_comparisons_are_wider_than_that_of_one():
    rivals = {f"rival {seed}": predictions(0.03, seed=seed) for seed in range(1, 8)}
    alone = standings(TASK, {"a": predictions(0.02), "rival 1": rivals["rival 1"]}, Bootstrap())[1]
    among = next(
        each for each in standings(TASK, {"a": predictions(0.02)} | rivals, Bootstrap()) if each.model == "rival 1"
    )
    assert among.behind.upper - among.behind.lower > 1.1 * (alone.behind.upper - alone.behind.lower)


def test_equal_models_are_seldom_told_apart():
    """Eight models with independent errors of one size: at most one of twenty tables may rank any of them second."""
    tables = [
        standings(TASK, {str(seed): predictions(0.03, seed=8 * table + seed) for seed in range(8)}, Bootstrap())
        for table in range(20)
    ]
    assert sum(any(each.rank > 1 for each in table) for table in tables) <= 3


def test_models_of_other_curves_are_not_ranked():
    with pytest.raises(DataError, match="compared on the same curves only, but these share 59 of 60"):
        standings(TASK, {"a": predictions(0.02), "b": predictions(0.02)[:-1]}, Bootstrap())
