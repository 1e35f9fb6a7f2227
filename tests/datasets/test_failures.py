import json

import numpy as np
import pytest

from nmr_platform.datasets import generate, load, recipe_of, repair, verify
from nmr_platform.datasets.generation.shards import SHARD_SIZE, make_shard
from nmr_platform.errors import DataError
from tests.datasets.executor_contract import tasks_of
from tests.datasets.recipes import small_prior, small_recipe
from tests.datasets.trees import digest_of_tree


def poisoned_recipe(**changes):
    """One curve in ten has a coupling that turns spins by over a million radians a step: the engine refuses it."""
    prior = small_prior(coupling__alpha_z={"kind": "choice", "values": [*[0.001] * 9, 1e9]})
    return small_recipe(**{"n_curves": SHARD_SIZE + 10, "prior": prior, "constraints": {}} | changes)


def poisoned_numbers(recipe):
    curves = [recipe.curve(i) for i in range(recipe.n_curves)]
    return [curve.number for curve in curves if curve.drawn["coupling.alpha_z"] == 1e9]


@pytest.fixture
def paths(tmp_path):
    return {"path": tmp_path / "set.zarr", "shard_folder": tmp_path / "shards"}


def test_a_failing_curve_is_reported_with_parameters_and_seed_and_nothing_is_published(paths):
    recipe = poisoned_recipe()
    wrong = poisoned_numbers(recipe)
    alpha = recipe.curve(wrong[0]).drawn["coupling.alpha_x"]
    sentence = (
        rf"`small` is not published, for {len(wrong)} of 60 curves could not be simulated: curve {wrong[0]} "
        rf"\(seed 7, spawn key {wrong[0]}; .*coupling.alpha_x = {alpha}.*\): Key `step` must be short .*--drop-failed"
    )
    with pytest.raises(DataError, match=sentence):
        generate(recipe, **paths)
    assert not paths["path"].exists()
    assert 0 < len(wrong) < 30


def test_the_curves_beside_a_failing_one_are_kept_and_can_be_published_without_it(paths):
    recipe = poisoned_recipe()
    wrong = poisoned_numbers(recipe)
    with pytest.raises(DataError, match=r"is not published"):
        generate(recipe, **paths)
    made = generate(recipe, **paths, drop_failed=True)
    assert made.n_simulated == 0
    assert [failure.curve for failure in made.failures] == wrong
    dataset = load(paths["path"])
    assert sorted({*range(60)} - {*dataset["curve"].to_numpy().tolist()}) == wrong
    assert np.isfinite(dataset["m"].to_numpy()).all()
    stored = json.loads(dataset.attrs["failures"])
    assert [failure["curve"] for failure in stored] == wrong
    assert stored[0]["parameters"]["coupling.alpha_z"] == 1e9


def test_a_shard_that_is_looked_at_again_tells_of_its_failed_curves(tmp_path):
    recipe = poisoned_recipe(n_curves=SHARD_SIZE)
    (task,) = tasks_of(recipe, tmp_path / "shards")
    first, again = make_shard(task), make_shard(task)
    assert first.n_failed == again.n_failed == len(poisoned_numbers(recipe))
    assert (first.n_simulated, again.n_simulated) == (SHARD_SIZE, 0)


def test_a_data_set_without_its_failed_curves_can_be_verified_and_repaired(paths):
    recipe = poisoned_recipe()
    generate(recipe, **paths, drop_failed=True)
    before = digest_of_tree(paths["path"])
    assert len(verify(paths["path"], fraction=1.0).curves) == 60 - len(poisoned_numbers(recipe))
    (paths["path"] / "W" / "c" / "0").unlink()
    assert repair(**paths).n_simulated == 0
    assert digest_of_tree(paths["path"]) == before
    assert recipe_of(load(paths["path"]), paths["path"]) == recipe


def test_a_draw_that_is_no_experiment_fails_its_curve_only(paths):
    prior = small_prior(kernel__xi={"kind": "choice", "values": [1.0, 2.0, 3.0, -1.0, 2.5]})
    recipe = small_recipe(prior=prior, constraints={}, n_curves=20)
    made = generate(recipe, **paths, drop_failed=True)
    assert 0 < len(made.failures) < 20
    assert made.failures[0].parameters["kernel.xi"] == -1.0
    assert made.failures[0].error.startswith("Key `experiment.kernel.xi` is -1.0, but it must be greater than 0")


def test_curves_on_another_time_axis_fail(paths):
    prior = small_prior(sequence__tau={"kind": "choice", "values": [2.0, 3.0]})
    with pytest.raises(
        DataError, match=r"All curves of a data set must share one time axis, but this one has \d+ samp"
    ):
        generate(small_recipe(prior=prior, n_curves=10), **paths)


def test_a_data_set_in_which_every_curve_fails_is_refused_even_without_the_failed(paths):
    prior = small_prior(coupling__alpha_z={"kind": "constant", "value": 1e9})
    with pytest.raises(DataError, match=r"None of the 6 curves could be simulated; the first is curve 0 \(seed 7"):
        generate(small_recipe(prior=prior, constraints={}), **paths, drop_failed=True)
