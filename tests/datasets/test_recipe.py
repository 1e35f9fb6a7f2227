import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmr_platform.datasets import generate
from nmr_platform.errors import ConfigurationError
from tests.datasets.recipes import small_prior, small_recipe, small_values

BOUND = {f"coupling.alpha_{axis}": {"kind": "constant", "value": 0.01} for axis in "xyz"}


def test_a_curve_is_the_same_whenever_it_is_drawn():
    first, again = small_recipe(), small_recipe()
    assert [first.curve(i).experiment for i in (3, 1)] == [again.curve(i).experiment for i in (3, 1)]


def test_every_curve_has_its_own_parameters_and_disorder():
    recipe = small_recipe()
    curves = [recipe.curve(i) for i in range(4)]
    assert len({curve.experiment.kernel.xi for curve in curves}) == 4
    assert len({curve.disorder for curve in curves}) == 4
    draws = {tuple(np.random.default_rng(curve.disorder_seed).random(2)) for curve in curves}
    assert len(draws) == 4


def test_a_curve_draws_everything_from_its_own_spawn_key():
    """Drawn here from nothing but the seed of the data set and the number of the curve."""
    recipe = small_recipe(prior={"kernel.xi": {"kind": "uniform", "low": 1.0, "high": 3.0}} | BOUND, constraints={})
    for number in (0, 4, 1000):
        parameters, disorder, noise = np.random.SeedSequence(7, spawn_key=(number,)).spawn(3)
        curve = recipe.curve(number)
        assert curve.drawn["kernel.xi"] == 1.0 + 2.0 * np.random.default_rng(parameters).random(1)[0]
        for stream, own in ((curve.disorder_seed, disorder), (curve.noise_seed, noise)):
            np.testing.assert_array_equal(np.random.default_rng(stream).random(5), np.random.default_rng(own).random(5))


def test_frozen_disorder_is_one_realisation_and_says_so():
    recipe = small_recipe(disorder="frozen")
    curves = [recipe.curve(i) for i in range(4)]
    assert {curve.disorder for curve in curves} == {"7/frozen"}
    assert len({tuple(np.random.default_rng(curve.disorder_seed).random(2)) for curve in curves}) == 1


def test_frozen_disorder_is_drawn_from_the_seed_of_the_data_set():
    for seed in (7, 8):
        drawn = np.random.default_rng(small_recipe(disorder="frozen", seed=seed).curve(3).disorder_seed).random(5)
        np.testing.assert_array_equal(drawn, np.random.default_rng(seed).random(5))


def test_a_bound_parameter_equals_the_one_it_is_bound_to():
    coupling = small_recipe().curve(0).experiment.coupling
    assert coupling.alpha_y == coupling.alpha_x


@settings(max_examples=20, deadline=None)
@given(number=st.integers(0, 10_000))
def test_accepted_curves_meet_the_constraint_and_stay_in_the_prior(number):
    experiment = small_recipe().curve(number).experiment
    assert 0.01 <= experiment.kernel_integral <= 0.5
    assert 1.0 <= experiment.kernel.xi <= 3.0
    assert experiment.coupling.alpha_z in (0.001, 0.002)


def test_the_order_of_the_prior_in_the_file_changes_nothing():
    there, back = small_recipe(), small_recipe(prior=dict(reversed(small_prior().items())))
    assert there.digest == back.digest
    assert there.curve(2).experiment == back.curve(2).experiment


def test_the_digest_changes_with_anything_that_changes_the_numbers():
    recipe = small_recipe()
    assert small_recipe().digest == recipe.digest
    for change in (
        {"seed": 8},
        {"disorder": "frozen"},
        {"dtype": "float64"},
        {"n_curves": 7},
        {"sampling": "sobol"},
        {"constraints": {}},
    ):
        assert small_recipe(**change).digest != recipe.digest


def test_a_longer_data_set_keeps_the_identity_of_its_curves():
    assert small_recipe(n_curves=9, name="longer").curve_digest == small_recipe().curve_digest
    assert small_recipe(seed=8).curve_digest != small_recipe().curve_digest


def test_another_version_of_the_engine_makes_other_data_sets(monkeypatch):
    recipe = small_recipe()
    before = recipe.digest, recipe.curve_digest
    monkeypatch.setattr("nmr_platform.datasets.recipe.recipe.ENGINE_VERSION", 0)
    assert not {recipe.digest, recipe.curve_digest} & {*before}


def test_constraints_may_be_expressions_over_drawn_numbers_and_quantities():
    constraints = {
        "alpha_x * pi * xi**2 / N": {"low": 1e-4, "high": 1e-3},
        "W / kernel_sum": {"low": 0.0, "high": 0.03},
    }
    recipe = small_recipe(constraints=constraints)
    for number in range(10):
        experiment = recipe.curve(number).experiment
        assert 1e-4 <= experiment.coupling.alpha_x * np.pi * experiment.kernel.xi**2 / 36 <= 1e-3
        assert experiment.coupling.total <= 0.03


def test_an_unreachable_constraint_is_refused_before_anything_is_simulated():
    recipe = small_recipe(constraints={"W": {"low": 50.0, "high": 51.0}})
    with pytest.raises(ConfigurationError, match=r"none of 3000 draws of curve 0 meets W in \[50, 51\]; widen"):
        recipe.check_acceptance()


def test_a_constraint_that_is_hardly_ever_met_is_refused_before_anything_is_simulated(tmp_path):
    recipe = small_recipe(constraints={"xi": {"low": 1.0, "high": 1.01}})
    with pytest.raises(ConfigurationError, match=r"only 0.\d\d% of the draws meet xi in \[1, 1.01\], but at least 1%"):
        generate(recipe, tmp_path / "set.zarr", shard_folder=tmp_path / "shards")
    assert not list(tmp_path.iterdir())


def test_the_estimated_acceptance_is_near_the_true_one():
    half = small_recipe(constraints={"xi": {"low": 1.0, "high": 2.0}})
    assert half.check_acceptance() == pytest.approx(0.5, abs=0.15)


def test_a_grid_point_that_can_never_meet_the_constraints_is_named():
    prior = {key: {"kind": "constant", "value": 0.01} for key in small_prior()}
    recipe = small_recipe(prior=prior | {"kernel.xi": {"kind": "constant", "value": 1.5}})
    assert recipe.curve(3).n_draws == 1
    recipe = small_recipe(prior=prior | {"kernel.xi": {"kind": "constant", "value": 0.1}})
    with pytest.raises(ConfigurationError, match=r"curve 3 does not meet W in \[0.01, 0.5\]"):
        recipe.curve(3)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"n_curves": 0}, "Key `n_curves` is 0, but it must be greater than"),
        ({"disorder": "thawed"}, "Key `disorder` is 'thawed', but it must be 'fresh' or 'frozen'"),
        ({"prior": {"coupling.alpha_q": {"kind": "uniform", "low": 0.0, "high": 1.0}}}, "`experiment.coupling.alpha_"),
        ({"prior": {"kernel.xi": {"kind": "uniform", "low": 2.0, "high": 1.0}}}, "must have `low` <= `high`"),
        ({"prior": {"kernel.xi": {"kind": "gamma"}}}, "kernel.xi"),
        ({"constraints": {"W": {"low": 0.1, "hihg": 0.3}}}, "`constraints.W.hihg` is not known. Did you mean `high`"),
        (
            {"constraints": {"V": {"low": 0.1, "high": 0.3}}},
            "Key `constraints.V`: name `V` must stand for one number of the experiment",
        ),
        ({"sampling": "halton"}, "Key `sampling` is 'halton', but it must be 'random' or 'sobol'"),
    ],
)
def test_a_wrong_recipe_is_refused_by_naming_the_key(change, sentence):
    with pytest.raises(ConfigurationError, match=sentence):
        small_recipe(**change)


RECORDS = {"b": {"kind": "hahn", "tau": 2.0}, "a": {"kind": "hahn", "tau": 3.0, "theta1": 60.0}}


def measured_recipe(**changes):
    experiment = {key: value for key, value in small_recipe().experiment.items() if key != "sequence"}
    return small_recipe(experiment=experiment | {"sequences": RECORDS}, **changes)


def test_a_recipe_of_several_sequences_names_its_records_in_order():
    recipe = measured_recipe()
    assert recipe.record_names == tuple(recipe.examples) == ("b", "a")
    assert recipe.example == recipe.examples["b"]
    assert small_recipe().record_names == ("",)


def test_the_recipe_of_one_record_draws_the_same_curves_under_its_sequence():
    recipe = measured_recipe()
    for name in recipe.record_names:
        alone, whole = recipe.of_record(name).curve(4), recipe.curve(4)
        assert recipe.of_record(name).example == recipe.examples[name]
        assert alone.drawn == whole.drawn
        assert (alone.disorder, alone.disorder_seed.spawn_key) == (whole.disorder, whole.disorder_seed.spawn_key)
    assert recipe.of_record("b") == small_recipe()
    assert small_recipe().of_record("") == small_recipe()
    with pytest.raises(ConfigurationError, match="Argument `record` must be one of b, a, but is 'c'"):
        recipe.of_record("c")


def test_the_order_of_the_records_is_part_of_the_identity():
    recipe = measured_recipe()
    turned = recipe.replace(experiment=recipe.experiment | {"sequences": dict(reversed(RECORDS.items()))})
    assert turned.digest != recipe.digest
    assert turned.curve_digest != recipe.curve_digest


def test_a_sweep_of_sequences_is_expanded_when_it_is_read():
    experiment = measured_recipe().experiment | {"sequences": {"decay": {"kind": "hahn", "sweep": {"tau": [2, 3]}}}}
    recipe = small_recipe(experiment=experiment)
    assert recipe.record_names == ("decay-tau2", "decay-tau3")
    written = {"decay-tau2": {"kind": "hahn", "tau": 2}, "decay-tau3": {"kind": "hahn", "tau": 3}}
    assert recipe.model_dump(mode="json")["experiment"]["sequences"] == written


def test_where_the_spins_start_may_be_drawn():
    polarisation = {"kind": "uniform", "low": 0.1, "high": 0.2}
    for experiment in (small_values()["experiment"], small_values()["experiment"] | {"initial": {"draws": 1}}):
        recipe = small_recipe(experiment=experiment, prior=small_prior(initial__polarisation=polarisation))
        drawn = [recipe.curve(number).experiment.initial.polarisation for number in range(3)]
        assert len({*drawn}) == 3
        assert all(0.1 <= each <= 0.2 for each in drawn)
        assert recipe.columns == {"polarisation": "initial.polarisation"}
    vector = {"initial": {"m": [0.0, 0.0, 0.5]}}
    tilted = small_prior(**{"initial__m__2": {"kind": "uniform", "low": 0.1, "high": 0.2}})
    mean = small_recipe(experiment=small_values()["experiment"] | vector, prior=tilted).curve(0).experiment.initial.m
    assert mean[:2] == (0.0, 0.0)
    assert 0.1 <= mean[2] <= 0.2


def test_sequences_of_several_records_are_not_drawn():
    drawn = small_prior() | {"sequences.a.theta1": {"kind": "uniform", "low": 60.0, "high": 120.0}}
    with pytest.raises(ConfigurationError, match=r"Key `sequences\.a\.theta1` must be the same for all curves"):
        measured_recipe(prior=drawn)
