"""Each view that the platform installs, opened by the address that it prints."""

import pytest
from playwright.sync_api import expect

from nmr_platform.tracking.mlflow.views import page_links

pytestmark = pytest.mark.browser


@pytest.fixture
def open_view(visit, client, pages, page):
    """Open a view by its address; training runs are shown, whatever was open before."""

    def go(experiment, view):
        (link,) = (each for each in page_links(client, pages) if (each.experiment, each.view) == (experiment, view))
        visit(link.address)
        expect(page.get_by_text("You're viewing a shared view").first).to_be_visible()
        expect(page.get_by_role("heading", name="Runs").first).to_be_visible()

    return go


def names_shown(page):
    """Names of the rows from top to bottom: the grid keeps them in another order than it shows them in."""
    rows = page.locator(".ag-pinned-left-cols-container .ag-row")
    placed = [(int(row.get_attribute("row-index")), row.locator("a[href*='/runs/']")) for row in rows.all()]
    return [link.first.inner_text() for _, link in sorted(placed, key=lambda each: each[0])]


def columns_shown(page, *names):
    for name in names:
        expect(page.locator(".ag-header-cell", has_text=name).first).to_be_visible()


def test_the_leaderboard_has_studies_alone_best_first_with_their_intervals(open_view, page, parents, shoot):
    open_view("W", "leaderboard")
    expect(page.get_by_text(f"{len(parents)} matching runs")).to_be_visible()
    columns_shown(page, "test_r2", "test_r2_lower", "test_r2_upper", "cv_r2", "n_trials")
    assert names_shown(page) == [run.info.run_name for run in parents]
    shoot("leaderboard")


def test_the_trials_of_the_best_study_are_shown_with_parameters_and_folds(open_view, page, client, parents, shoot):
    best = max(parents, key=lambda run: run.data.metrics["best_score"])
    only = f"tags.`mlflow.parentRunId` = '{best.info.run_id}'"
    trials = client.search_runs([best.info.experiment_id], only, order_by=["metrics.cv_r2 DESC"])
    open_view("W", "trials of the best study")
    expect(page.get_by_text(f"{len(trials)} matching runs")).to_be_visible()
    varied = [name.removeprefix("best_") for name in best.data.params if name.startswith("best_")]
    columns_shown(page, "cv_r2", "fold_0_r2", "fold_2_r2", *varied[:2])
    assert names_shown(page) == [run.info.run_name for run in trials]
    shoot("best-study")


def test_a_pulse_search_shows_its_sequences_best_first(open_view, page, client):
    experiment = client.get_experiment_by_name("pulse-design").experiment_id
    tried = client.search_runs([experiment], "metrics.score > -1e9", order_by=["metrics.score DESC"])
    tried = [run for run in tried if "mlflow.parentRunId" in run.data.tags]
    open_view("pulse-design", "pulse search")
    expect(page.get_by_text(f"{len(tried)} matching runs")).to_be_visible()
    columns_shown(page, "score", "score_error", "theta1", "theta2")
    assert names_shown(page) == [run.info.run_name for run in tried]


def test_searches_race_each_other_and_their_pictures_lie_side_by_side(open_view, page, parents, shoot):
    open_view("W", "curves and pictures")
    for chart in ("best_so_far", "test_r2", "Image grid"):
        expect(page.get_by_text(chart, exact=True).first).to_be_visible()
    page.get_by_text("Image grid", exact=True).first.scroll_into_view_if_needed()
    for kind in ("parity", "importances"):
        row = page.get_by_role("row").filter(has=page.get_by_text(kind, exact=True))
        expect(row.locator("img")).to_have_count(len(parents))
        for image in row.locator("img").all():
            expect(image).to_have_js_property("complete", value=True)
            assert image.evaluate("image => image.naturalWidth") > 300
    shoot("pictures")


def test_a_study_says_what_was_asked_and_leads_to_its_best_trial(visit, page, parents, shoot):
    best = max(parents, key=lambda run: run.data.metrics["best_score"])
    visit(f"experiments/{best.info.experiment_id}/runs/{best.info.run_id}")
    expect(page.get_by_text("Asked of an echo: kernel integral").first).to_be_visible()
    page.get_by_text("Show more").first.click()
    link = page.get_by_role("listitem").filter(has_text="Best trial:").get_by_role("link").first
    expect(link).to_be_visible()
    shoot("study")
    # It opens beside this page.
    name, address = link.inner_text(), link.get_attribute("href").partition("#/")[2]
    visit(address)
    expect(page.get_by_role("heading", name=name)).to_be_visible()


def test_the_page_of_a_champion_has_its_card_its_version_and_its_data(visit, page, client, shoot):
    version = client.get_model_version_by_alias("nmr-W", "champion")
    run = client.get_run(version.run_id)
    (output,) = run.outputs.model_outputs
    visit(f"experiments/{run.info.experiment_id}/models/{output.model_id}")
    expect(page.get_by_role("heading", name="nmr-W")).to_be_visible()
    for heading in ("Scores", "Where it fails", "Limits", "Licence"):
        expect(page.get_by_text(heading, exact=True).first).to_be_visible()
    expect(page.get_by_text("gaussian (test)").first).to_be_visible()
    expect(page.get_by_text("Not registered")).to_have_count(0)
    shoot("model")


def test_trials_of_all_studies_are_told_apart_by_name(visit, page, client, parents):
    experiment = parents[0].info.experiment_id
    visit(f"experiments/{experiment}/runs?orderByKey=metrics.%60cv_r2%60&orderByAsc=false")
    expect(page.get_by_text("matching runs").first).to_be_visible()
    expect(page.locator(".ag-row a[href*='/runs/']").first).to_be_visible()
    shown = names_shown(page)
    assert len(shown) == len(set(shown)) > len(parents)
