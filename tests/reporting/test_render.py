"""The report as a page and as Markdown, from a content made by hand."""

import re
from dataclasses import replace

import pytest
from jinja2 import UndefinedError

from nmr_platform.learning import Score
from nmr_platform.reporting import (
    CHAMPION,
    PUBLISHED,
    Answer,
    ComparisonRow,
    Content,
    Figure,
    Section,
    data_section,
    disorder_section,
    learning_section,
    published_section,
    pulses_section,
    render_html,
    render_markdown,
    table,
)

SUMMARY = {
    "target": "W",
    "objective": "cross-validated R² of W",
    "n_trials": 12,
    "n_curves": 30,
    "n_test": 20,
    "baseline": {"sequence": "90x - 100 us - 180y"},
    "best": {"sequence": "79.3039x - 26.0576 us - 180.801y"},
    "search_score": {"baseline": 0.5, "best": 0.9},
    "verdict": {
        name: {"metric": "r2", "baseline": base, "best": 0.9, "lower": 0.1, "upper": 0.3}
        for name, base in (("W", 0.5), ("X", 0.25), ("Z", 0.125))
    },
}
DISORDER = [
    {
        "task": "alpha_x",
        "trained_on": "frozen",
        "tested_on": tested,
        "value": value,
        "lower": -0.5,
        "upper": 0.1,
        "n_train": 18,
        "n_test": 6,
    }
    for tested, value in (("frozen", 0.05), ("fresh", -0.2345))
]
DATA = {
    "kernel": "gaussian",
    "n_curves": 24,
    "lattice": "8 x 8",
    "disorder": "fresh",
    "w_range": "0.100 to 0.300",
    "acceptance": "92%",
    "digest": "0123456789abcdef",
}
TITLES = ["model", "features", "R2 by cross-validation", "R2 held out", "interval", "rank", "published"]
SPOTS = '[[0.1,0.2,0.1,0.2,"gaussian 3\\u003c"]]'


def figure(path, caption, spots=""):
    return Figure(f"figures/{path}.png", caption, 470, 300, spots)


@pytest.fixture
def content():
    rows = [
        [f"xgboost{CHAMPION}", "pointwise-magnitude", 0.81234, 0.71234, "0.600 to 0.800", 1, None],
        ["random_forest", "pointwise-magnitude", 0.7, 0.72, "0.610 to 0.830", 1, 0.77],
    ]
    task = Section(
        "task-W",
        "W: kernel integral in MHz",
        texts=["18 training curves, 6 held-out curves, fresh disorder."],
        table=table(TITLES, rows, champion=0),
        notes=["Champion: wide intervals."],
        figures=[figure("W-parity", "Predicted against true.", SPOTS)],
    )
    compared = [
        ComparisonRow(PUBLISHED[0], "random_forest/x", 0.8125, 0.7, 0.9, 18, 6),
        ComparisonRow(PUBLISHED[1], remark="not run here"),
    ]
    score = Score(0.71234, 0.6, 0.8, 6)
    return Content(
        verdicts=["Ours is level."],
        answers=[
            Answer("W", "kernel integral in MHz", "R2", "xgboost/x", score, "± 0.02 MHz", 0.77, score),
            Answer("xi", "range", "R2", "xgboost/x", score, "± 2", None),
        ],
        sections=[
            data_section([DATA], [figure("echoes", "Echoes.")]),
            learning_section([task]),
            pulses_section(SUMMARY, [figure("pulses-map", "Map.")]),
            disorder_section(DISORDER),
            published_section(compared),
        ],
    )


RENDERERS = pytest.mark.parametrize("render", [render_html, render_markdown])


@RENDERERS
def test_scores_have_three_digits(content, render):
    text = render(content)
    for number in ("0.812", "0.712", "0.600 to 0.800", "0.770", "0.500", "0.250", "0.125", "-0.234"):
        assert number in text


@RENDERERS
def test_what_is_not_there_is_an_empty_cell(content, render):
    assert "None" not in render(content)


@RENDERERS
def test_everything_that_is_known_is_said(content, render):
    text = render(content)
    for sentence in [
        "Ours is level.",
        "± 0.02 MHz",
        "18 training curves, 6 held-out curves, fresh disorder",
        "Champion: wide intervals.",
        "on 20 new curves it is better than 90/180",
        "the best scored 0.900 and 90/180 0.500",
        "Predicted against true.",
        "xgboost (champion)",
        DATA["digest"],
        "not run here",
    ]:
        assert sentence in text


@RENDERERS
def test_sequences_are_rounded_to_what_can_be_read(content, render):
    assert "79.3x - 26.1 us - 180.8y" in render(content)
    assert "79.3039x" not in render(content)


@RENDERERS
def test_every_picture_is_shown_with_its_caption(content, render):
    text = render(content)
    for path in ("figures/echoes.png", "figures/W-parity.png", "figures/pulses-map.png"):
        assert len(re.findall(re.escape(path), text)) == 1


@RENDERERS
def test_what_is_missing_is_an_error_and_not_a_gap(content, render):
    with pytest.raises(UndefinedError, match="has no attribute 'task'"):
        render(replace(content, answers=[object()]))


@RENDERERS
def test_the_same_content_gives_the_same_text(content, render):
    assert render(content) == render(content)


def test_the_page_is_escaped(content):
    text = render_html(replace(content, verdicts=["<b>R² < 1 & more</b>"]))
    assert "&lt;b&gt;R² &lt; 1 &amp; more&lt;/b&gt;" in text


def test_markdown_is_not_escaped(content):
    assert "R² < 1 & more" in render_markdown(replace(content, verdicts=["R² < 1 & more"]))


def test_marks_stand_in_the_page_as_they_are(content):
    assert f'<script type="application/json">{SPOTS}</script>' in render_html(content)


def test_the_champion_stands_out_on_the_page(content):
    (row,) = re.findall(r'<tr class="champion">.*', render_html(content))
    assert "xgboost" in row


def test_every_section_and_every_task_is_in_the_table_of_contents(content):
    (contents,) = re.findall(r"<nav.*?</nav>", render_html(content), re.DOTALL)
    anchors = re.findall(r'href="#([^"]+)"', contents)
    assert anchors == ["summary", "data", "learning", "task-W", "pulses", "disorder", "published"]
    assert all(f'id="{anchor}"' in render_html(content) for anchor in anchors)


def test_every_markdown_table_has_as_many_cells_in_every_row(content):
    tables = re.findall(r"(?:^\|.*\|$\n?)+", render_markdown(content), re.MULTILINE)
    assert len(tables) == 6
    for each in tables:
        assert len({line.count("|") for line in each.splitlines()}) == 1


def test_every_tag_of_the_page_is_closed(content):
    text = re.sub(r"<(script|style).*?</\1>", "", render_html(content), flags=re.DOTALL)
    tags = ["table", "thead", "tbody", "tr", "td", "th", "div", "figure", "figcaption", "main", "body", "p", "h2", "h3"]
    for tag in [*tags, "details", "summary", "section", "nav", "svg", "button", "span", "small"]:
        assert len(re.findall(rf"<{tag}[ >]", text)) == len(re.findall(f"</{tag}>", text)), tag
