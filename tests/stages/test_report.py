"""The report of the small project, and what it says when the results are others."""

import json
import re
import shutil

import pandas as pd
import pytest

from nmr_platform import plots
from nmr_platform.checksums import write_checksums
from nmr_platform.config import read_params
from nmr_platform.reporting import PUBLISHED, PublishedScore
from nmr_platform.schema import read_sections, read_yaml
from nmr_platform.stages import published
from nmr_platform.stages.report import ReportParams, write_report
from nmr_platform.studies import load_studies, open_storage
from nmr_platform.workspace import Workspace
from tests.stages.tiny import KERNELS, TASKS, champion_of, contents_of, merged, nmr, without, write_params


def page(project):
    return (project / "reports" / "index.html").read_text(encoding="utf-8")


def markdown(project):
    return (project / "reports" / "report.md").read_text(encoding="utf-8")


def table_below(text, heading):
    """Rows of the first Markdown table below ``heading``, header first, the ruler left out."""
    lines = text[text.index(heading) :].splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("|"))
    rows = [line for line in lines[start:] if line.strip()]
    rows = rows[: next((number for number, line in enumerate(rows) if not line.startswith("|")), len(rows))]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    return [cells[0], *cells[2:]]


def again(project):
    write_report(read_sections(project / "params.yaml", ReportParams), Workspace(project))
    return markdown(project)


def with_verdict(project, lower, upper, **angles):
    path = project / "results" / "pulses" / "summary.json"
    summary = json.loads(path.read_text())
    summary["verdict"]["W"] |= {"lower": lower, "upper": upper}
    summary["best"] |= angles
    path.write_text(json.dumps(summary))
    write_checksums(path.parent)
    return again(project)


def test_every_picture_that_is_shown_exists_and_every_picture_is_shown(project):
    folder = project / "reports"
    shown = set(re.findall(r'<img src="([^"]+)"', page(project)))
    assert shown == set(re.findall(r"!\[[^]]*\]\(([^)]+)\)", markdown(project)))
    assert shown == {path.relative_to(folder).as_posix() for path in folder.rglob("*.png")}
    drawn = sum(len(list((champion_of(project, task) / "figures").glob("*.png"))) for task in TASKS)
    # Of the figures of a task all but the ranking of features, and the bars by power of the fit's own importances.
    assert len(shown) == len(KERNELS) + drawn - 2 * len(TASKS) + 5


def test_the_page_needs_nothing_from_elsewhere(project):
    text = page(project)
    assert not re.search(r"https?:|src=\"/|src=\"//|<script src|<link|@import|url\(|fetch\(", text)
    assert {place.split("/")[0] for place in re.findall(r'(?:src|href)="([^"#]+)', text)} == {"figures"}


def test_the_same_results_give_the_same_bytes(spoilable):
    folder = spoilable / "reports"
    before = contents_of(folder)
    again(spoilable)
    assert contents_of(folder) == before


def test_a_figure_of_one_point_is_a_sentence(project):
    assert not list((project / "reports").rglob("*lattice*.png"))
    assert markdown(project).count("On new curves of lattices of 36 spins, ") == len(TASKS)


def test_parity_plot_and_importances_say_what_their_marks_are(project):
    curves = len(pd.read_csv(champion_of(project, "W") / "tables" / "predictions.csv"))
    for name, least, word in (("parity", 2 * curves, "predicted"), ("importances", 2, " to "), ("shap", 2, " to ")):
        spots = json.loads(plots.read_picture(project / "reports" / "figures" / f"W-{name}.png").spots)
        assert len(spots) >= least
        for left, top, right, bottom, text in spots:
            assert 0 <= left <= right <= 1
            assert 0 <= top <= bottom <= 1
            assert word in text


def test_every_task_has_its_answer_in_the_summary(project):
    rows = table_below(markdown(project), "# What the echoes tell")[1:]
    for name, row in zip(TASKS, rows, strict=True):
        scores = json.loads((project / "results" / "evaluate" / name / "scores.json").read_text())
        value = scores["models"][scores["champion"]]["scores"]["r2" if name == "W" else "f1_weighted"]
        assert row[0].startswith(f"{name}: ")
        assert row[3:5] == [f"{value['value']:.3f}", f"{value['lower']:.3f} to {value['upper']:.3f}"]


@pytest.mark.parametrize("task", TASKS)
def test_the_score_table_holds_what_the_evaluation_found(project, task):
    scores = json.loads((project / "results" / "evaluate" / task / "scores.json").read_text())
    metric = "r2" if task == "W" else "f1_weighted"
    header, *rows = table_below(markdown(project), f"### {task}:")
    assert len(rows) == len(scores["models"]) == 2
    assert {len(row) for row in [header, *rows]} == {7}
    for row in rows:
        family = row[0].removesuffix(" (champion)")
        model = scores["models"][f"{family}/{row[1]}"]
        value = model["scores"][metric]
        assert row[2:5] == [
            f"{model['cv_mean']:.3f}",
            f"{value['value']:.3f}",
            f"{value['lower']:.3f} to {value['upper']:.3f}",
        ]
    (champion,) = [row for row in rows if row[0].endswith("(champion)")]
    assert champion == rows[0]
    assert f"{champion[0].removesuffix(' (champion)')}/{champion[1]}" == scores["champion"]


def test_a_published_score_stands_beside_the_same_model_on_the_same_features(project):
    published = {row[0].removesuffix(" (champion)"): row[6] for row in table_below(markdown(project), "### W:")[1:]}
    assert published == {"random_forest": "0.757", "xgboost": ""}
    assert re.search(r'<td class="n" data-of="published">0\.757</td>', page(project))


def test_a_study_without_a_pulse_search_has_a_report_without_that_section(spoilable):
    shutil.rmtree(spoilable / "results" / "pulses")
    write_params(spoilable, without(read_yaml(spoilable / "params.yaml"), ["designed"]))
    assert "## Pulses" not in again(spoilable)
    assert 'href="#pulses"' not in page(spoilable)


def test_frozen_and_fresh_disorder_stand_side_by_side(project):
    rows = table_below(markdown(project), "## Frozen or fresh disorder")[1:]
    targets = read_params(project / "params.yaml").disorder_comparison.targets
    pairs = [(trained, tested) for trained in ("fresh", "frozen") for tested in ("fresh", "frozen")]
    assert [tuple(row[:3]) for row in rows] == [(target, *pair) for target in targets for pair in pairs]


def test_all_published_scores_are_listed_with_what_to_know_about_them(project):
    rows = table_below(markdown(project), "## Published scores")[1:]
    assert [row[3] for row in rows] == [str(item.value) for item in PUBLISHED]
    for item in PUBLISHED:
        assert item.note in page(project)


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_data_table_names_each_data_set(project, kernel):
    digest = read_params(project / "params.yaml").data.recipe(kernel).digest
    rows = {row[0]: row for row in table_below(markdown(project), "## Data")[1:]}
    assert rows[kernel][1:4] == ["24", "8 x 8", "fresh"]
    assert rows[kernel][6] == f"`{digest}`"


@pytest.mark.parametrize(
    ("lower", "upper", "outcome"),
    [(0.1, 0.3, "is better than"), (-0.1, 0.3, "cannot be told apart from"), (-0.3, -0.1, "is worse than")],
)
def test_the_verdict_follows_from_the_interval_of_the_gain(spoilable, lower, upper, outcome):
    assert f"curves it {outcome} 90/180" in with_verdict(spoilable, lower, upper)


def test_the_textbook_echo_is_not_called_worse_than_itself(spoilable):
    assert "curves it cannot be told apart from 90/180" in with_verdict(spoilable, 0.0, 0.0, theta1=90.0, theta2=180.0)


def test_the_level_of_the_prediction_intervals_is_the_one_asked_for(project, spoilable):
    assert "its 90% prediction intervals hold" in markdown(project)
    write_params(spoilable, merged(read_yaml(spoilable / "params.yaml"), {"evaluate": {"coverage": 0.55}}))
    assert "its 55% prediction intervals hold" in again(spoilable)


def test_a_report_that_cannot_be_written_leaves_the_old_one(spoilable, project):
    shutil.rmtree(spoilable / "results" / "evaluate" / "power_vs_rest")
    with pytest.raises(Exception, match="make it with `dvc repro evaluate`"):
        again(spoilable)
    assert page(spoilable) == page(project)
    assert not list(spoilable.glob(".reports*"))


def test_the_command_prints_published_beside_ours_with_curves_and_time(project, spoilable, monkeypatch):
    asked = PublishedScore("W", "", "", "r2", 0.77, "any model", "")
    monkeypatch.setattr(published, "PUBLISHED", (asked, *PUBLISHED))
    out = nmr(spoilable, "report").out
    champion = json.loads((spoilable / "results" / "evaluate" / "W" / "scores.json").read_text())["champion"]
    (row,) = [line for line in out.splitlines() if line.endswith("any model")]
    assert re.search(rf"^ +W +0\.77 +-?\d\.\d{{3}} \[.+\] +\d+ \+ \d+ +\d+ s +{champion} +any model$", row)
    first = json.loads(nmr(spoilable, "report", "--json").out.splitlines()[-1])["published"][0]
    spent = sum(
        trial.duration.total_seconds()
        for study in load_studies(open_storage(Workspace(spoilable).studies))
        if study.study_name.startswith(f"W/{champion}")
        for trial in study.trials
    )
    assert first["seconds"] == pytest.approx(spent)
    assert spent > 0.0
    assert markdown(spoilable) == markdown(project), "no duration in the files"
