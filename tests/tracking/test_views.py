"""The views that the platform installs in every experiment; tests/browser opens them."""

import base64
import json
import zlib
from urllib.parse import parse_qs

import pytest

from nmr_platform.tracking import RunEntry, TrialEntry
from nmr_platform.tracking.mlflow import view_links
from nmr_platform.tracking.mlflow.ui import serve_ui

_TAG = "mlflow.sharedViewState."


def trial(number, score, state="finished", **params):
    metrics = {"cv_r2": score, "fold_0_r2": score, "fold_1_r2": score + 0.1}
    return TrialEntry(number, params, {} if state == "failed" else metrics, 10.0 + number, 11.0 + number, state)


def record(tracker, name, scores, experiment="W"):
    """A study with a trial a score; return its identifier."""
    run_id = tracker.open_run(RunEntry(experiment, name, {"family": name}))
    for number, score in enumerate(scores):
        tracker.log_trial(run_id, trial(number, score, depth=number))
    tracker.log_metrics(run_id, {"n_trials": len(scores), "best_score": max(scores), "cv_r2": max(scores)})
    tracker.close_run(run_id)
    return run_id


def views(client, name="W"):
    """State of the installed views by key."""
    tags = client.get_experiment_by_name(name).tags
    held = {key.removeprefix(_TAG): json.loads(value) for key, value in tags.items() if key.startswith(_TAG)}
    packed = {key: each["state"].removeprefix("deflate;") for key, each in held.items()}
    return {key: json.loads(zlib.decompress(base64.b64decode(state))) for key, state in packed.items()}


def test_the_leaderboard_finds_parents_alone_best_first(tracker, client):
    runs = {name: record(tracker, name, [score]) for name, score in {"a": 0.3, "b": 0.5}.items()}
    for name, score in {"a": 0.4, "b": 0.2}.items():
        tracker.log_metrics(runs[name], {"test_r2": score, "test_r2_lower": score - 0.1, "test_r2_upper": score + 0.1})
        tracker.close_run(runs[name])
    view = views(client)["leaderboard"]
    order = f"{view['orderByKey']} {'ASC' if view['orderByAsc'] else 'DESC'}"
    experiment = client.get_experiment_by_name("W").experiment_id
    found = client.search_runs([experiment], view["searchFilter"], order_by=[order])
    assert [run.info.run_id for run in found] == [runs["a"], runs["b"]]
    first = [f"metrics.`{name}`" for name in ("test_r2", "test_r2_lower", "test_r2_upper", "cv_r2", "n_trials")]
    assert view["selectedColumns"] == [
        *first,
        *(f"params.`{name}`" for name in ("family", "feature_set", "n_features")),
    ]
    assert view["columnOrder"] == ["attributes.`Run Name`", *view["selectedColumns"]]


def test_the_trials_are_those_of_the_best_study_with_what_was_varied_and_the_folds(tracker, client):
    record(tracker, "a", [0.3, 0.1])
    best = record(tracker, "b", [0.2, 0.5, 0.4])
    view = views(client)["trials"]
    experiment = client.get_experiment_by_name("W").experiment_id
    found = client.search_runs([experiment], view["searchFilter"], order_by=[f"{view['orderByKey']} DESC"])
    assert {run.data.tags["mlflow.parentRunId"] for run in found} == {best}
    assert [run.data.metrics["cv_r2"] for run in found] == [0.5, 0.4, 0.2]
    scores = [f"metrics.`{name}`" for name in ("cv_r2", "fold_0_r2", "fold_1_r2")]
    assert view["selectedColumns"] == [*scores, "params.`depth`", "metrics.`duration`"]


def test_a_better_study_takes_over_and_nothing_else_is_written_again(tracker, client, monkeypatch):
    record(tracker, "a", [0.3])
    written = []
    set_tag = type(client).set_experiment_tag

    def counting(self, experiment, key, value):
        written.append(key.removeprefix(_TAG))
        set_tag(self, experiment, key, value)

    monkeypatch.setattr(type(client), "set_experiment_tag", counting)
    record(tracker, "a", [0.3])
    assert written == []
    best = record(tracker, "b", [0.4])
    assert written == ["trials"]
    assert best in views(client)["trials"]["searchFilter"]


def test_a_pulse_search_shows_its_sequences(tracker, client):
    run_id = tracker.open_run(RunEntry("pulse-design", "score-gaussian"))
    tracker.log_trial(run_id, TrialEntry(0, {"theta1": 90.0}, {"score": 0.1, "r2_W": 0.1}, 1.0, 2.0))
    tracker.log_metrics(run_id, {"n_trials": 1, "best_score": 0.1, "baseline_score": 0.1, "verdict_r2_W_best": 0.2})
    tracker.close_run(run_id)
    held = views(client, "pulse-design")
    assert held.keys() == {"leaderboard", "pulse-search", "pictures"}
    assert held["pulse-search"]["orderByKey"] == "metrics.`score`"
    assert held["pulse-search"]["selectedColumns"][:2] == ["metrics.`score`", "params.`theta1`"]
    assert "metrics.`verdict_r2_W_best`" in held["leaderboard"]["selectedColumns"]


def test_pictures_lie_side_by_side_below_the_race_of_the_searches(tracker, client):
    record(tracker, "a", [0.3])
    charts = views(client)["pictures"]["compareRunCharts"]
    assert [chart["type"] for chart in charts] == ["LINE", "BAR", "IMAGE"]
    assert charts[0]["metricKey"] == "best_so_far"
    assert charts[2]["imageKeys"] == ["parity", "importances", "history"]


def test_a_study_without_a_finished_trial_has_a_leaderboard(tracker, client):
    run_id = tracker.open_run(RunEntry("W", "a"))
    tracker.log_trial(run_id, trial(0, 0.0, "failed"))
    tracker.log_metrics(run_id, {"n_trials": 1, "n_failed": 1})
    tracker.close_run(run_id)
    assert views(client).keys() == {"leaderboard", "pictures"}


def test_every_view_has_an_address_that_opens_training_runs(tracker, root):
    record(tracker, "a", [0.3])
    links = view_links(root=root)
    assert [(link.experiment, link.view) for link in links] == [
        ("W", "leaderboard"),
        ("W", "trials of the best study"),
        ("W", "curves and pictures"),
    ]
    for link in links:
        assert link.address.startswith("http://127.0.0.1:5000/#/experiments/1/runs?")
        assert parse_qs(link.address.partition("?")[2])["workflowType"] == ["machine_learning"]
        assert str(link) == f"W, {link.view}: {link.address}"


def test_without_a_store_there_are_no_addresses(tmp_path):
    assert view_links(root=tmp_path) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_pages_are_announced_with_their_views(tracker, root, free_port):
    record(tracker, "a", [0.3])
    said = []

    def announce(sentence):
        said.append(sentence)
        if len(said) == 4:
            raise KeyboardInterrupt

    assert serve_ui(announce, root=root, port=free_port) == 0
    assert said[0].startswith(f"Comparing runs at http://127.0.0.1:{free_port} (store sqlite:///")
    assert said[1].startswith(f"W, leaderboard: http://127.0.0.1:{free_port}/#/experiments/1/runs?")
