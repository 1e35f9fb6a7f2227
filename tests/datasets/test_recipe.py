import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmr_platform.datasets import LogUniform, Uniform
from nmr_platform.errors import ConfigurationError
from tests.datasets.recipes import small_recipe


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


def test_frozen_disorder_is_one_realisation_and_says_so():
    recipe = small_recipe(disorder="frozen")
    curves = [recipe.curve(i) for i in range(4)]
    assert {curve.disorder for curve in curves} == {"7/frozen"}
    assert len({tuple(np.random.default_rng(curve.disorder_seed).random(2)) for curve in curves}) == 1


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


def test_distributions_have_the_moments_they_promise():
    rng = np.random.default_rng(0)
    uniform = Uniform(kind="uniform", low=2.0, high=4.0)
    log_uniform = LogUniform(kind="log_uniform", low=1e-3, high=1e-1)
    assert np.mean([uniform.draw(rng) for _ in range(4000)]) == pytest.approx(3.0, abs=0.03)
    assert np.mean([np.log10(log_uniform.draw(rng)) for _ in range(4000)]) == pytest.approx(-2.0, abs=0.03)


def test_the_digest_changes_with_anything_that_changes_the_numbers():
    recipe = small_recipe()
    assert small_recipe().digest == recipe.digest
    for change in ({"seed": 8}, {"disorder": "frozen"}, {"dtype": "float64"}, {"n_curves": 7}):
        assert small_recipe(**change).digest != recipe.digest


def test_a_longer_data_set_keeps_the_identity_of_its_curves():
    assert small_recipe(n_curves=9).curve_digest == small_recipe().curve_digest


def test_an_unreachable_constraint_is_refused_with_its_range():
    recipe = small_recipe(kernel_integral={"low": 50.0, "high": 51.0})
    with pytest.raises(ConfigurationError, match=r"none of 5000 draws has its kernel integral within \[50, 51\] MHz"):
        recipe.curve(0)


def test_a_constraint_that_is_hardly_ever_met_is_refused():
    with pytest.raises(ConfigurationError, match=r"only 0.50% of the draws meet `kernel_integral`, but at least 1%"):
        small_recipe().check_acceptance(n_draws=2000, n_curves=10)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"n_curves": 0}, "Key `n_curves` is 0, but it must be greater than"),
        ({"disorder": "thawed"}, "Key `disorder` is 'thawed', but it must be 'fresh' or 'frozen'"),
        ({"prior": {"coupling.alpha_q": {"kind": "uniform", "low": 0.0, "high": 1.0}}}, "`experiment.coupling.alpha_"),
        ({"prior": {"kernel.xi": {"kind": "uniform", "low": 2.0, "high": 1.0}}}, "must have `low` <= `high`"),
        ({"prior": {"kernel.xi": {"kind": "same_as", "key": "nothing"}}}, "must name a parameter that is drawn"),
        ({"prior": {"kernel.xi": {"kind": "gamma"}}}, "kernel.xi"),
        ({"kernel_integral": {"low": 0.1, "hihg": 0.3}}, "`kernel_integral.hihg` is not known. Did you mean `high`"),
    ],
)
def test_a_wrong_recipe_is_refused_by_naming_the_key(change, sentence):
    with pytest.raises(ConfigurationError, match=sentence):
        small_recipe(**change)
