"""Frozen against fresh disorder, and scores on records that differ from those of the training."""

import numpy as np
import pandas as pd
import pytest

from nmr_platform.learning.evaluation.bootstrap import Bootstrap
from nmr_platform.learning.evaluation.stress import RecordScorer, compare_disorder, new_curves
from nmr_platform.learning.settings import SplitSettings
from nmr_platform.learning.tasks import RegressionTask
from tests.datasets.recipes import small_recipe
from tests.learning.problems import W_TASK, frozen, problem


def test_a_model_that_reads_the_realisation_does_not_transfer():
    """Feature f4 tells W in the frozen set only, as an imprint of the one realisation on every curve would."""
    fresh, labels = problem(120, noise=0.2)
    realised, others = problem(120, noise=0.2, seed=1)
    realised["f4"] = others["W"].to_numpy(dtype=np.float32)
    data = {"fresh": (fresh, labels), "frozen": (realised, frozen(others))}
    table = compare_disorder(
        data, {"W": W_TASK}, split=SplitSettings(), n_estimators=20, bootstrap=Bootstrap(50), seed=0
    )
    score = table.set_index(["trained_on", "tested_on"])["value"]
    assert score["frozen", "frozen"] > 0.6
    assert score["frozen", "fresh"] < 0.2
    assert (table["lower"] <= table["value"]).all()
    assert (table["value"] <= table["upper"]).all()
    assert (table["n_train"] + table["n_test"]).between(200 / 2, 140).all()


class Mean:
    """Predicts the mean of the features."""

    def predict(self, features):
        return features.to_numpy(dtype=float).mean(axis=1)


def scorer():
    return RecordScorer(W_TASK, Mean(), lambda m: pd.DataFrame(np.abs(m[""])), Bootstrap(20))


def test_noise_lowers_the_score_and_none_leaves_it():
    _, labels = problem(40)
    own = labels[labels["kernel"] == "gaussian"]
    m = np.tile(own["W"].to_numpy()[:, np.newaxis], (1, 5)).astype(np.complex64)
    table = scorer().against_noise({"": m}, own, [0.0, 0.05, 0.5], seed=0)
    r2 = table[table["metric"] == "r2"]["value"].to_list()
    assert r2[0] == pytest.approx(1.0)
    assert r2[0] > r2[1] > r2[2]
    again = scorer().against_noise({"": m}, own, [0.5], seed=0)
    assert again[again["metric"] == "r2"]["value"].to_list() == [r2[2]]


def test_noise_of_the_given_size_is_added_to_both_components():
    _, labels = problem(40)
    own = labels[labels["kernel"] == "gaussian"]
    seen = []

    def extract(m):
        seen.append(m)
        return pd.DataFrame(m["s1"].real)

    m = {"s1": np.zeros((40, 200)), "s2": np.zeros((40, 200))}
    RecordScorer(W_TASK, Mean(), extract, Bootstrap(20)).against_noise(m, own, [0.1], seed=0)
    ((first, second),) = (noise.values() for noise in seen)
    for noise in (first, second):
        assert noise.real.std() == pytest.approx(0.1, rel=0.05)
        assert noise.imag.std() == pytest.approx(0.1, rel=0.05)
        assert abs(np.corrcoef(noise.real.ravel(), noise.imag.ravel())[0, 1]) < 0.05
    assert abs(np.corrcoef(first.real.ravel(), second.real.ravel())[0, 1]) < 0.05


def test_curves_of_other_lattices_have_fresh_disorder_whatever_the_data_set_had():
    tables = [scorer().against_lattice([small_recipe(disorder=kind)], [(4, 4)]) for kind in ("fresh", "frozen")]
    pd.testing.assert_frame_equal(*tables)


def test_curves_of_other_lattices_are_simulated_with_fresh_disorder():
    recipe = small_recipe(n_curves=12)
    table = scorer().against_lattice([recipe], [(4, 4), (6, 6)])
    assert set(table["n_spins"]) == {16, 36}
    assert set(table["n"]) == {12}


def test_new_curves_are_those_of_the_recipe():
    recipe = small_recipe(n_curves=3)
    m, labels = new_curves([recipe])
    assert m[""].shape == (3, recipe.example.n_samples)
    assert labels["curve"].to_list() == [0, 1, 2]
    assert labels["disorder"].nunique() == 3
    assert RegressionTask().y(labels) == pytest.approx([recipe.curve(i).experiment.kernel_integral for i in range(3)])
