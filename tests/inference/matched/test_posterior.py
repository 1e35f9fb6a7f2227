"""What an answer leaves possible."""

import pytest

from nmr_platform.datasets import QUANTITIES, Range
from nmr_platform.errors import DataError
from nmr_platform.inference.matched import known_of, narrowed, recipe_of
from tests.inference.matched.small import SETTING, priors

WIDE = recipe_of("gaussian", priors()["gaussian"], SETTING, 0.5, (0.04, 0.16), 50)


def told(lower, upper, *, informative=True):
    return {"value": 0.0, "lower": lower, "upper": upper, "level": 0.9, "unit": "MHz", "informative": informative}


def test_what_an_answer_does_not_tell_is_not_known():
    answer = {"quantities": {"W": told(0.1, 0.2), "Z": told(0.0, 1.0, informative=False)}}
    assert known_of(answer) == {"W": Range(low=0.1, high=0.2)}


@pytest.mark.parametrize("answer", [{}, {"quantities": {"W": 0.1}}, {"quantities": {"W": {"informative": True}}}])
def test_what_is_no_answer_is_refused(answer):
    with pytest.raises(DataError, match="must be that of `nmr infer`"):
        known_of(answer)


def test_all_curves_lie_within_the_intervals_and_few_draws_are_in_vain():
    # Of a thousand draws of the prior one would do.
    known = {"X": Range(low=0.038, high=0.050), "Z": Range(low=0.018, high=0.028), "fwhm": Range(low=0.08, high=0.09)}
    recipe = narrowed(WIDE, known)
    assert recipe.constraints == known
    for curve in map(recipe.curve, range(50)):
        assert known["X"].holds(QUANTITIES["X"].of(curve.experiment))
        assert known["Z"].holds(QUANTITIES["Z"].of(curve.experiment))
        assert known["fwhm"].holds(curve.drawn["line.fwhm"])
    assert recipe.check_acceptance() > 0.01


def test_intervals_that_hardly_a_draw_meets_are_taken_wider():
    known = {"X": Range(low=0.0400, high=0.0401), "Z": Range(low=0.0200, high=0.0201)}
    recipe = narrowed(WIDE, known)
    assert recipe.check_acceptance() > 0.01
    values = [QUANTITIES["X"].of(recipe.curve(number).experiment) for number in range(50)]
    assert 0.036 < min(values) < 0.0401
    assert 0.0400 < max(values) < 0.044


def test_where_nothing_is_known_the_whole_prior_is_possible():
    recipe = narrowed(WIDE, {})
    drawn = [recipe.curve(number).drawn["kernel.xi"] for number in range(300)]
    assert (min(drawn), max(drawn)) == pytest.approx((1.0, 2.0), abs=0.05)
    assert recipe.constraints == WIDE.constraints
