"""The report as a page and as Markdown, from a content made by hand."""

import re
from dataclasses import replace

import pytest
from jinja2 import UndefinedError

from nmr_platform.reporting import (
    PUBLISHED,
    ComparisonRow,
    Content,
    Figure,
    ScoreRow,
    Section,
    render_html,
    render_markdown,
)

PULSES = {
    "verdict": "On 20 new curves it is better than 90/180.",
    "caution": "During the search the best scored 0.9.",
    "titles": ["R2 of W", "R2 of X", "R2 of Z"],
    "rows": [{"name": "90/180", "sequence": "90x - 180y", "scores": [0.5, 0.25, 0.125]}],
}
DISORDER = {
    "task": "alpha_x",
    "trained_on": "frozen",
    "tested_on": "fresh",
    "value": -0.2345,
    "lower": -0.5,
    "upper": 0.1,
    "n_train": 18,
    "n_test": 6,
}
DATA = {
    "kernel": "gaussian",
    "n_curves": 24,
    "lattice": "8 x 8",
    "disorder": "fresh",
    "w_range": "0.100 to 0.300",
    "acceptance": "92%",
    "digest": "0123456789abcdef",
}


@pytest.fixture
def content():
    section = Section(
        name="W",
        question="kernel integral in MHz",
        metric="R2",
        n_train=18,
        n_test=6,
        disorder="fresh",
        rows=[
            ScoreRow("xgboost", "pointwise-magnitude", True, 0.81234, 0.71234, 0.6, 0.8, 1, None),
            ScoreRow("random_forest", "pointwise-magnitude", False, 0.7, 0.72, 0.61, 0.83, 1, 0.77),
        ],
        notes=["Champion: wide intervals."],
        figures=[Figure("figures/W-parity.png", "Predicted against true.")],
    )
    return Content(
        data=[DATA],
        opening=[Figure("figures/echoes.png", "Echoes.")],
        sections=[section],
        disorder=[DISORDER],
        comparison=[
            ComparisonRow(PUBLISHED[0], "random_forest/x", 0.8125, 0.7, 0.9, 18, 6),
            ComparisonRow(PUBLISHED[1], remark="not run here"),
        ],
        designed=None,
        ceilings=None,
        pulses=PULSES,
        pulse_figures=[Figure("figures/pulses-map.png", "Map.")],
    )


RENDERERS = pytest.mark.parametrize("render", [render_html, render_markdown])


@RENDERERS
def test_scores_have_three_digits(content, render):
    text = render(content)
    for number in ("0.812", "0.712", "0.600 to 0.800", "0.770", "0.500", "0.250", "0.125", "-0.234"):
        assert number in text


@RENDERERS
def test_a_model_without_a_published_score_has_an_empty_cell(content, render):
    assert "None" not in render(content)


@RENDERERS
def test_everything_that_is_known_is_said(content, render):
    text = render(content)
    said = ["18 training curves, 6 held-out curves, fresh disorder", "Champion: wide intervals.", PULSES["verdict"]]
    for sentence in [
        *said,
        PULSES["caution"],
        "Predicted against true.",
        "xgboost (champion)",
        DATA["digest"],
        "not run here",
    ]:
        assert sentence in text


@RENDERERS
def test_every_picture_is_shown_with_its_caption(content, render):
    text = render(content)
    for path in ("figures/echoes.png", "figures/W-parity.png", "figures/pulses-map.png"):
        assert len(re.findall(re.escape(path), text)) == 1


@RENDERERS
def test_what_is_missing_is_an_error_and_not_a_gap(content, render):
    with pytest.raises(UndefinedError, match="caution"):
        render(replace(content, pulses={key: value for key, value in PULSES.items() if key != "caution"}))


def test_the_page_is_escaped(content):
    text = render_html(replace(content, pulses=PULSES | {"verdict": "<b>R² < 1 & more</b>"}))
    assert "&lt;b&gt;R² &lt; 1 &amp; more&lt;/b&gt;" in text


def test_markdown_is_not_escaped(content):
    assert "R² < 1 & more" in render_markdown(replace(content, pulses=PULSES | {"verdict": "R² < 1 & more"}))


def test_the_champion_stands_out_on_the_page(content):
    (row,) = re.findall(r'<tr class="champion">.*', render_html(content))
    assert "xgboost" in row


def test_every_markdown_table_has_as_many_cells_in_every_row(content):
    tables = re.findall(r"(?:^\|.*\|$\n?)+", render_markdown(content), re.MULTILINE)
    assert len(tables) == 5
    for table in tables:
        assert len({line.count("|") for line in table.splitlines()}) == 1


def test_every_tag_of_the_page_is_closed(content):
    text = render_html(content)
    for tag in ("table", "tr", "td", "th", "div", "figure", "figcaption", "main", "body", "p", "h2", "h3"):
        assert len(re.findall(rf"<{tag}[ >]", text)) == len(re.findall(f"</{tag}>", text)), tag
