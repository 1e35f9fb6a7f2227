"""A person compares studies in MLflow's pages; the screenshots of docs/compare.md are taken on the way.

They are written to docs/images if NMR_SCREENSHOTS is set, else into pytest's folder.
"""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from nmr_platform.stages.tune import read_tuned
from nmr_platform.workspace import Workspace

pytestmark = pytest.mark.browser


@pytest.fixture
def show_columns(page):
    """Tick columns in MLflow's menu, or take the tick away."""

    def tick(*names):
        page.get_by_role("button", name="Columns", exact=True).click()
        menu = page.get_by_role("dialog").last
        for name in names:
            menu.get_by_placeholder("Search columns").fill(name)
            menu.get_by_text(name, exact=True).first.click()
        page.keyboard.press("Escape")

    return tick


def widen(page, column, by):
    edge = page.locator(".ag-header-cell", has_text=column).locator(".ag-header-cell-resize").bounding_box()
    page.mouse.move(edge["x"] + 2, edge["y"] + 10)
    page.mouse.down()
    page.mouse.move(edge["x"] + 2 + by, edge["y"] + 10, steps=8)
    page.mouse.up()


def test_the_experiment_lists_the_studies_by_readable_names_best_first(
    visit, page, parents, tuned, show_columns, shoot
):
    visit(f"{listing(parents)}&searchFilter=metrics.n_trials%20%3E%200")
    shown = ("test_r2", "test_r2_lower", "test_r2_upper", "cv_r2", "n_trials")
    # The menu offers the metrics of the runs that are there when it opens.
    expect(page.get_by_text(f"{len(parents)} matching runs")).to_be_visible()
    show_columns("Dataset", "Source", *shown)
    widen(page, "Run Name", 160)
    for name in shown:
        expect(page.locator(".ag-header-cell", has_text=name).first).to_be_visible()
    for study in read_tuned(Workspace(tuned), "W").studies:
        expect(page.get_by_text(study.run_name).first).to_be_visible()
    names = page.locator(".ag-row a[href*='/runs/']").all_inner_texts()
    assert [name for name in names if "/" in name] == [run.info.run_name for run in parents]
    shoot("experiment")


def test_a_study_unfolds_into_its_trials(visit, page, parents, shoot):
    # Not sorted by a score: MLflow then shows trials beside studies rather than below them.
    visit(listing(parents, by="attributes.start_time"))
    expect(page.get_by_text(parents[0].info.run_name).first).to_be_visible()
    page.locator(".ag-row", has_text=parents[0].info.run_name).locator("button").first.click()
    expect(page.get_by_text("trial 000").first).to_be_visible()
    shoot("trials")


def test_two_studies_are_compared_with_parallel_coordinates(visit, page, parents, shoot):
    # Of one family, for then they have the same parameters.
    pair = [run for run in parents if run.data.params["family"] == "xgboost"]
    chosen = ",".join(f'"{run.info.run_id}"' for run in pair)
    visit(f'compare-runs?runs=[{chosen}]&experiments=["{parents[0].info.experiment_id}"]')
    expect(page.get_by_text("Parallel Coordinates Plot").first).to_be_visible()
    for run in pair:
        expect(page.get_by_text(run.info.run_name).first).to_be_visible()
    shoot("compare")


@pytest.mark.parametrize("picture", ["figures/importances.png", "figures/parity.png", "study/history.png"])
def test_a_picture_of_a_study_opens(visit, page, parents, picture, shoot):
    run = parents[0].info
    visit(f"experiments/{run.experiment_id}/runs/{run.run_id}/artifacts/{picture}")
    expect(page.get_by_text(picture, exact=True).first).to_be_visible()
    image = page.locator("img[src^='blob:']").first
    expect(image).to_be_visible()
    expect(image).to_have_js_property("complete", value=True)
    assert image.evaluate("image => image.naturalWidth") > 300
    shoot(Path(picture).stem)


def listing(parents, by="metrics.%60test_r2%60"):
    """The experiment's page, largest first."""
    return f"experiments/{parents[0].info.experiment_id}/runs?orderByKey={by}&orderByAsc=false"
