import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from nmr_platform.datasets import Distribution
from nmr_platform.datasets.recipe.distributions import Range
from nmr_platform.errors import ConfigurationError
from tests.datasets.recipes import small_prior, small_recipe

_ADAPTER = TypeAdapter(Distribution)
RANDOM = {
    "uniform": {"kind": "uniform", "low": 2.0, "high": 4.0},
    "log_uniform": {"kind": "log_uniform", "low": 0.02, "high": 2.0},
    "normal": {"kind": "normal", "mean": 1.0, "std": 0.5, "low": 0.0, "high": 3.0},
    "choice": {"kind": "choice", "values": [1.0, 2.0, 4.0]},
}


def quantiles(values: dict[str, object], n: int = 4000) -> np.ndarray:
    distribution = _ADAPTER.validate_python(values)
    return np.array([distribution.quantile(u) for u in (np.arange(n) + 0.5) / n])


@pytest.mark.parametrize(
    ("kind", "mean"),
    [
        ("uniform", 3.0),
        ("log_uniform", (2.0 - 0.02) / np.log(100)),
        # Mean of a normal law cut at -2 and 4 standard deviations.
        ("normal", 1.0 + 0.5 * 0.0553),
        ("choice", 7 / 3),
    ],
)
def test_distributions_have_the_mean_they_promise(kind, mean):
    assert quantiles(RANDOM[kind]).mean() == pytest.approx(mean, rel=2e-3)


@settings(max_examples=50, deadline=None)
@given(kind=st.sampled_from(sorted(RANDOM)), u=st.floats(0, 1, exclude_max=True))
def test_draws_stay_within_the_distribution(kind, u):
    values = RANDOM[kind]
    value = _ADAPTER.validate_python(values).quantile(u)
    if kind == "choice":
        assert value in values["values"]
    else:
        assert values["low"] <= value <= values["high"]


@pytest.mark.parametrize("kind", sorted(RANDOM))
def test_larger_coordinates_draw_larger_values(kind):
    found = quantiles(RANDOM[kind], 100)
    assert (np.diff(found) >= 0).all()
    assert found[0] < found[-1]


def test_a_range_holds_its_ends():
    closed = Range(low=1.0, high=2.0)
    assert [closed.holds(value) for value in (0.999, 1.0, 1.5, 2.0, 2.001)] == [False, True, True, True, False]


def test_a_choice_may_be_between_numbers_words_and_truths():
    prior = small_prior(kernel__antiferromagnetic={"kind": "choice", "values": [True, False]})
    recipe = small_recipe(prior=prior, constraints={})
    found = {recipe.curve(i).experiment.kernel.antiferromagnetic for i in range(8)}
    assert found == {True, False}


def test_a_constant_is_what_it_says():
    recipe = small_recipe(prior=small_prior(coupling__alpha_z={"kind": "constant", "value": 0.25}), constraints={})
    assert [recipe.curve(i).experiment.coupling.alpha_z for i in range(3)] == [0.25] * 3


def test_expressions_are_evaluated_in_the_order_in_which_they_need_each_other():
    prior = {
        "coupling.alpha_z": {"kind": "expression", "value": "alpha_y + 1e-3"},
        "coupling.alpha_y": {"kind": "expression", "value": "0.5 * coupling.alpha_x * scale"},
        "coupling.alpha_x": {"kind": "uniform", "low": 0.01, "high": 0.02},
        "scale": {"kind": "choice", "values": [1.0, 3.0]},
        "kernel.xi": {"kind": "expression", "value": "2 + N_x / 6"},
        "N_x": {"kind": "constant", "value": 6},
    }
    curve = small_recipe(prior=prior).curve(0)
    coupling = curve.experiment.coupling
    assert coupling.alpha_y == 0.5 * coupling.alpha_x * curve.drawn["scale"]
    assert coupling.alpha_z == coupling.alpha_y + 1e-3
    assert curve.experiment.kernel.xi == 3.0


def test_an_expression_may_use_fixed_numbers_of_the_experiment():
    prior = small_prior(kernel__xi={"kind": "expression", "value": "40 * line.fwhm"})
    assert small_recipe(prior=prior).curve(0).experiment.kernel.xi == 2.0


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"kernel__xi": {"kind": "expression", "value": "nothing"}}, "`nothing` must stand for one number"),
        ({"kernel__xi": {"kind": "expression", "value": "xi"}}, "must not need each other, but kernel.xi needs kernel"),
        ({"kernel__xi": {"kind": "expression", "value": "open('x')"}}, "must be made of numbers, names"),
        ({"kernel__xi": {"kind": "normal", "mean": 1.0, "std": 0.0, "low": 0.0, "high": 1.0}}, "kernel.xi.std"),
        ({"unused": {"kind": "constant", "value": 1.0}}, "`prior.unused` must be a key of the experiment"),
        ({"W": {"kind": "constant", "value": 1.0}}, "`prior.W` must be a key of the experiment"),
        ({"line.shape.depth": {"kind": "constant", "value": 1.0}}, "line.shape"),
        ({"line.fwhm.x": {"kind": "constant", "value": 1.0}}, "`line.fwhm.x` must be a key of the experiment"),
    ],
)
def test_a_prior_that_means_nothing_is_refused(changes, sentence):
    with pytest.raises(ConfigurationError, match=sentence):
        small_recipe(prior=small_prior(**changes))
