import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmr_platform.datasets.recipe.expressions import formula, resolve
from nmr_platform.errors import ConfigurationError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("coupling.alpha_x", 3.0),
        ("0.5 * coupling.alpha_x", 1.5),
        ("-xi ** 2 + 1", -3.0),
        ("alpha * pi * xi**2 / N", 5.0 * math.pi * 4.0 / 100),
        ("max(sqrt(xi * 2), log(exp(1)), min(xi, 7))", 2.0),
        ("hypot(coupling.alpha_x, 4) - abs(-5)", 0.0),
    ],
)
def test_arithmetic_has_its_usual_value(text, value):
    known = {"coupling.alpha_x": 3.0, "xi": 2, "alpha": 5.0, "N": 100}
    assert formula(text)(known) == pytest.approx(value)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "().__class__",
        "[x for x in (1, 2)]",
        "lambda: 1",
        "open('file')",
        "alpha if xi else 2",
        "'text'",
        "True",
        "sqrt(x=2)",
        "sqrt()",
        "xi[0]",
        "alpha; xi",
        "alpha < xi",
        "(alpha).real.imag()",
        "",
        "1 +" * 400 + "1",
    ],
)
def test_anything_but_arithmetic_is_refused_before_it_is_evaluated(text):
    with pytest.raises(ConfigurationError, match=r"Expression "):
        formula(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1 / xi", "has no value at xi = 0.0: float division by zero"),
        ("log(xi)", "has no value at xi = 0.0"),
        ("9 ** 9 ** 9 ** 9", "has no value at all: math range error"),
        ("exp(1000 + xi)", "math range error"),
        ("(xi - 8) ** (1 / 3)", "has no value at xi = 0.0"),
        ("1e308 * (xi + 10)", "the result is inf"),
    ],
)
def test_an_expression_without_a_finite_value_says_at_which_numbers(text, reason):
    with pytest.raises(ConfigurationError, match=reason.replace("(", r"\(")):
        formula(text)({"xi": 0.0})


@settings(max_examples=50, deadline=None)
@given(a=st.floats(-1e3, 1e3), b=st.floats(0.1, 1e3))
def test_expressions_agree_with_python(a, b):
    text = "2 * (a - b) / b + sin(a) * b ** 0.5"
    assert formula(text)({"a": a, "b": b}) == pytest.approx(2 * (a - b) / b + math.sin(a) * b**0.5)


def test_a_short_name_stands_for_the_only_key_that_ends_in_it():
    keys = ["coupling.alpha_x", "kernel.exponent", "line.exponent", "alpha"]
    assert resolve("alpha_x", keys) == "coupling.alpha_x"
    assert resolve("alpha", keys) == "alpha"
    with pytest.raises(ConfigurationError, match=r"`exponent` must .* but could be kernel.exponent or line.exponent"):
        resolve("exponent", keys)
    with pytest.raises(ConfigurationError, match=r"name `beta` must stand for one number .* but is none of alpha, "):
        resolve("beta", keys)
