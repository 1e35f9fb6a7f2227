import json
from dataclasses import replace
from pathlib import Path

import pytest
from mlflow import MlflowClient

from nmr_platform.errors import TrackingError
from nmr_platform.tracking import UNKNOWN, RunEntry, TrialEntry
from nmr_platform.tracking.mlflow.tracker import MlflowTracker
from tests.tracking.contract import STUDY, TrackerContract, finished, linear_model

DIGEST = STUDY.datasets[0].digest


class TestMlflowTracker(TrackerContract):
    """The fixture `tracker` of the folder is an MlflowTracker on a real SQLite store."""


def children(client: MlflowClient, run_id: str) -> list:
    experiment = client.get_run(run_id).info.experiment_id
    found = client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{run_id}'")
    return sorted(found, key=lambda run: int(run.data.tags["optuna.trial"]))


def artifact(client: MlflowClient, run_id: str, name: str) -> Path:
    return Path(client.download_artifacts(run_id, name))


def test_a_study_is_a_named_running_run_of_its_own_experiment(tracker, client):
    run = client.get_run(tracker.open_run(STUDY))
    assert client.get_experiment(run.info.experiment_id).name == "regression"
    assert (run.info.run_name, run.info.status) == ("forest-gaussian", "RUNNING")
    assert run.data.params == {"n_trials": "3", "features": "polynomial"}
    assert run.data.tags["nmr.run"] == "forest-gaussian"
    assert run.data.tags["family"] == "forest"
    assert run.data.tags["data.gaussian"] == DIGEST
    assert {"mlflow.source.git.commit", "git.dirty", "python.version", "nmr_platform.version"} <= set(run.data.tags)
    assert run.info.artifact_uri.startswith((tracker.root / "mlartifacts").as_uri())


def test_a_study_and_its_trials_name_their_data_set_as_an_input(tracker, client):
    run_id = tracker.open_run(STUDY)
    tracker.log_trial(run_id, finished(0))
    for run in [client.get_run(run_id), *children(client, run_id)]:
        (given,) = run.inputs.dataset_inputs
        assert (given.dataset.name, given.dataset.digest) == ("gaussian", DIGEST[:36])
        assert json.loads(given.dataset.source) == {"uri": "data/gaussian.zarr"}
        assert json.loads(given.dataset.profile) == {"curves": 40}
        assert [(tag.key, tag.value) for tag in given.tags] == [("mlflow.data.context", "training")]
        assert run.data.tags["data.gaussian"] == DIGEST


def test_a_trial_is_a_child_with_settings_parameters_metrics_and_times(tracker, client):
    run_id = tracker.open_run(STUDY)
    tracker.log_trial(run_id, finished(7))
    (child,) = children(client, run_id)
    assert (child.info.run_name, child.info.status) == ("trial 007 of forest-gaussian", "FINISHED")
    assert (child.info.start_time, child.info.end_time) == (1_700_000_000_000, 1_700_000_002_500)
    assert child.data.params == {"n_trials": "3", "features": "polynomial", "max_depth": "8"}
    assert child.data.metrics == pytest.approx({"r2": 0.7, "duration": 2.5})
    assert child.data.tags["nmr.study"] == "forest-gaussian"
    assert "nmr.run" not in child.data.tags
    parent = client.get_run(run_id)
    for tag in ("mlflow.source.git.commit", "git.dirty", "family"):
        assert child.data.tags[tag] == parent.data.tags[tag]


def test_failed_and_pruned_trials_can_be_told_apart(tracker, client):
    run_id = tracker.open_run(STUDY)
    tracker.log_trial(run_id, TrialEntry(0, {}, {}, 1.0, 2.0, state="failed"))
    tracker.log_trial(run_id, TrialEntry(1, {}, {"r2": 0.1}, 1.0, 2.0, state="pruned"))
    states = [(child.info.status, child.data.tags["optuna.state"]) for child in children(client, run_id)]
    assert states == [("FAILED", "failed"), ("KILLED", "pruned")]
    names = [child.info.run_name for child in children(client, run_id)]
    assert names == ["trial 000 of forest-gaussian", "trial 001 (pruned) of forest-gaussian"]


def test_a_pruned_trial_is_whole_and_one_that_a_kill_tore_is_not(root, tracker, client):
    run_id = tracker.open_run(STUDY)
    pruned = TrialEntry(1, {}, {"r2": 0.1}, 1.0, 2.0, state="pruned")
    tracker.log_trial(run_id, pruned)
    experiment = client.get_run(run_id).info.experiment_id
    client.create_run(experiment, tags={"mlflow.parentRunId": run_id, "optuna.trial": "2"})
    resumed = MlflowTracker(root=root)
    resumed.open_run(STUDY)
    before, torn = children(client, run_id)
    assert (before.info.status, torn.info.status) == ("KILLED", "KILLED")
    resumed.log_trial(run_id, replace(pruned, metrics={"r2": 0.9}))
    resumed.log_trial(run_id, replace(pruned, number=2, metrics={"r2": 0.2}))
    resumed.close_run(run_id)
    again = children(client, run_id)
    assert [child.info.run_id for child in again] == [before.info.run_id, torn.info.run_id]
    assert [child.data.metrics["r2"] for child in again] == [0.1, 0.2]


def test_a_trial_has_its_curves_by_step(tracker, client):
    run_id = tracker.open_run(STUDY)
    tracker.log_trial(run_id, replace(finished(0), metrics={"r2": 0.2, "folds_r2": {0: 0.1, 1: 0.3, 2: float("nan")}}))
    (child,) = children(client, run_id)
    history = client.get_metric_history(child.info.run_id, "folds_r2")
    assert [(point.step, point.value) for point in history] == [(0, 0.1), (1, 0.3)]


def test_a_trial_of_unknown_state_is_refused(tracker):
    run_id = tracker.open_run(STUDY)
    with pytest.raises(
        TrackingError, match=r"Argument `trial\.state` must be one of finished, pruned, failed, but is 'lost'"
    ):
        tracker.log_trial(run_id, TrialEntry(0, {}, {}, 1.0, 2.0, state="lost"))


def test_a_trial_is_recorded_once_whichever_process_sends_it(root, tracker, client):
    run_id = tracker.open_run(STUDY)
    for sender in (tracker, MlflowTracker(root=root), tracker):
        sender.log_trial(run_id, finished(0))
    assert len(children(client, run_id)) == 1


def test_resuming_after_a_kill_closes_the_torn_child_and_finishes_it_later(root, tracker, client):
    run_id = tracker.open_run(STUDY)
    tracker.log_trial(run_id, finished(0))
    experiment = client.get_run(run_id).info.experiment_id
    torn = client.create_run(experiment, tags={"mlflow.parentRunId": run_id, "optuna.trial": "1"})

    resumed = MlflowTracker(root=root)
    assert resumed.open_run(STUDY) == run_id
    assert [child.info.status for child in children(client, run_id)] == ["FINISHED", "KILLED"]
    resumed.log_trial(run_id, finished(1))
    again = children(client, run_id)[1]
    assert (again.info.run_id, again.info.status) == (torn.info.run_id, "FINISHED")
    assert again.data.metrics == pytest.approx({"r2": 0.1, "duration": 2.5})
    assert again.data.params["max_depth"] == "2"


def test_a_resumed_run_is_running_again_until_closed(tracker, client):
    run_id = tracker.open_run(STUDY)
    tracker.close_run(run_id, failed=True)
    assert client.get_run(run_id).info.status == "FAILED"
    tracker.open_run(STUDY)
    assert client.get_run(run_id).info.status == "RUNNING"
    tracker.close_run(run_id)
    assert client.get_run(run_id).info.status == "FINISHED"


def test_settings_that_changed_on_resuming_are_kept_as_tags_and_reach_new_trials(tracker, client):
    run_id = tracker.open_run(STUDY)
    tracker.log_params(run_id, {"best_max_depth": 3})
    tracker.open_run(RunEntry("regression", "forest-gaussian", params={"n_trials": 50, "folds": 5}))
    tracker.log_params(run_id, {"best_max_depth": 4})
    data = client.get_run(run_id).data
    assert data.params == {"n_trials": "3", "features": "polynomial", "folds": "5", "best_max_depth": "3"}
    assert (data.tags["param.n_trials"], data.tags["param.best_max_depth"]) == ("50", "4")
    tracker.log_trial(run_id, finished(0))
    assert children(client, run_id)[0].data.params == {"n_trials": "50", "folds": "5", "max_depth": "1"}


def test_more_parameters_than_one_batch_holds_are_all_recorded(tracker, client):
    params = {f"feature_{index}": index for index in range(230)}
    run_id = tracker.open_run(RunEntry("regression", "wide", params=params))
    assert client.get_run(run_id).data.params == {name: str(value) for name, value in params.items()}


def test_metrics_that_are_not_finite_become_tags(tracker, client):
    run_id = tracker.open_run(STUDY)
    tracker.log_metrics(run_id, {"r2": 0.5, "log_loss": float("inf"), "f1": float("nan")})
    data = client.get_run(run_id).data
    assert data.metrics == {"r2": 0.5}
    assert (data.tags["metric.log_loss"], data.tags["metric.f1"]) == ("inf", "nan")


def test_files_and_folders_can_be_read_back_and_the_last_one_of_a_name_stays(tracker, client, tmp_path):
    run_id = tracker.open_run(STUDY)
    folder = tmp_path / "result"
    (folder / "tables").mkdir(parents=True)
    (folder / "parity.png").write_bytes(b"\x89PNG")
    for text in ("first", "second"):
        (folder / "tables" / "note.txt").write_text(text)
        tracker.log_files(run_id, folder)
        tracker.log_files(run_id, folder / "parity.png", "figures")
    assert artifact(client, run_id, "figures/parity.png").read_bytes() == b"\x89PNG"
    assert artifact(client, run_id, "parity.png").read_bytes() == b"\x89PNG"
    assert artifact(client, run_id, "tables/note.txt").read_text() == "second"


def test_a_table_is_one_that_mlflow_reads_and_the_second_takes_the_place_of_the_first(tracker, client, tmp_path):
    run_id = tracker.open_run(STUDY)
    (tmp_path / "tables").mkdir()
    (tmp_path / "sequences").mkdir()
    (tmp_path / "sequences" / "best.csv").write_text("t,x\n0,1\n")
    for rows in ("a,1.5e-12\n", "b,2\nc,nan\n"):
        (tmp_path / "tables" / "scores.csv").write_text(f"name,value\n{rows}")
        tracker.log_files(run_id, tmp_path / "tables", "tables")
        tracker.log_files(run_id, tmp_path / "sequences", "sequences")
        shown = json.loads(artifact(client, run_id, "tables/scores.json").read_text())
        assert shown["columns"] == ["name", "value"]
        assert [name for name, _ in shown["data"]] == [row.split(",")[0] for row in rows.split()]
    assert json.loads(client.get_run(run_id).data.tags["mlflow.loggedArtifacts"]) == [
        {"path": "tables/scores.json", "type": "table"}
    ]
    assert artifact(client, run_id, "sequences/best.csv").read_text() == "t,x\n0,1\n", "programs read it"


def test_a_picture_that_is_compared_lies_in_the_grid_once(tracker, client, tmp_path):
    run_id = tracker.open_run(STUDY)
    for content in (b"first", b"second"):
        (tmp_path / "parity.png").write_bytes(content)
        tracker.log_files(run_id, tmp_path / "parity.png", "figures")
    names = [item.path for item in client.list_artifacts(run_id, "images")]
    assert names == [f"images/parity+step+0+timestamp+0+latest{ending}.png" for ending in ("+compressed", "")]
    assert {artifact(client, run_id, name).read_bytes() for name in names} == {b"second"}
    assert client.get_run(run_id).data.tags["mlflow.loggedImages"] == "True"
    tracker.log_trial(run_id, finished(0))
    assert "mlflow.loggedImages" not in children(client, run_id)[0].data.tags


def test_a_series_is_a_metric_by_step(tracker, client):
    run_id = tracker.open_run(STUDY)
    series = {number: 0.1 * number for number in range(900)}
    tracker.log_metrics(run_id, {"best_so_far": series, "n_trials": 900.0}, time=1_700_000_000.0)
    history = client.get_metric_history(run_id, "best_so_far")
    assert {point.step: point.value for point in history} == series
    assert {point.timestamp for point in history} == {1_700_000_000_000}


def test_metrics_said_twice_are_recorded_once_and_others_added(tracker, client):
    run_id = tracker.open_run(STUDY)
    tracker.log_metrics(run_id, {"r2": 0.5, "best": {0: 0.1}})
    tracker.log_metrics(run_id, {"r2": 0.5, "best": {0: 0.1, 1: 0.2}})
    assert [point.value for point in client.get_metric_history(run_id, "r2")] == [0.5]
    assert {point.step: point.value for point in client.get_metric_history(run_id, "best")} == {0: 0.1, 1: 0.2}
    tracker.log_metrics(run_id, {"r2": 0.6})
    assert client.get_run(run_id).data.metrics["r2"] == 0.6


def test_a_run_shown_again_has_the_commit_and_the_times_of_the_first(tracker, client):
    provenance = {"mlflow.source.git.commit": "0" * 40, "git.dirty": "true", "mlflow.user": "ada"}
    run_id = tracker.open_run(replace(STUDY, provenance=provenance, start=1_600_000_000.0))
    tracker.log_trial(run_id, finished(0))
    tracker.close_run(run_id, end=1_600_000_100.0)
    info = client.get_run(run_id).info
    assert (info.start_time, info.end_time) == (1_600_000_000_000, 1_600_000_100_000)
    for run in [client.get_run(run_id), *children(client, run_id)]:
        assert run.data.tags.items() >= provenance.items()


def test_who_does_not_know_where_a_run_came_from_and_when_it_ended_leaves_what_is_recorded(tracker, client):
    provenance = {"mlflow.source.git.commit": "0" * 40, "git.dirty": "true"}
    tracker.close_run(tracker.open_run(replace(STUDY, provenance=provenance)), end=1_600_000_100.0)
    run_id = tracker.open_run(replace(STUDY, provenance=UNKNOWN))
    tracker.close_run(run_id)
    run = client.get_run(run_id)
    assert run.data.tags.items() >= provenance.items()
    assert (run.info.status, run.info.end_time) == ("FINISHED", 1_600_000_100_000)


def test_a_run_ends_with_what_was_added_last(tracker, client):
    for end in (100.0, 300.0, 200.0):
        run_id = tracker.open_run(STUDY)
        tracker.close_run(run_id, end=end)
    assert client.get_run(run_id).info.end_time == 300_000


def test_who_adds_to_a_study_leaves_its_settings(tracker, client):
    run_id = tracker.open_run(STUDY)
    tracker.open_run(RunEntry(STUDY.experiment, STUDY.name))
    tracker.log_trial(run_id, finished(0))
    assert children(client, run_id)[0].data.params == {"n_trials": "3", "features": "polynomial", "max_depth": "1"}


def test_children_that_two_processes_sent_are_one_after_closing(root, tracker, client):
    run_id = tracker.open_run(STUDY)
    others = [MlflowTracker(root=root) for _ in range(2)]
    for sender in others:
        sender.open_run(STUDY)
    for sender in (tracker, *others):
        sender._opened[1]._known_children(run_id)  # before any of the others has sent it
    for sender in (tracker, *others):
        sender.log_trial(run_id, finished(0))
    assert len(children(client, run_id)) == 3
    tracker.close_run(run_id)
    assert [int(child.data.tags["optuna.trial"]) for child in children(client, run_id)] == [0]


def test_the_part_that_is_held_out_is_an_input_of_its_own(tracker, client):
    run_id = tracker.open_run(STUDY)
    tracker.open_run(replace(STUDY, datasets=[replace(item, context="test") for item in STUDY.datasets]))
    given = {
        item.dataset.name: [tag.value for tag in item.tags] for item in client.get_run(run_id).inputs.dataset_inputs
    }
    assert given == {"gaussian": ["training"], "gaussian (test)": ["test"]}
    assert client.get_run(run_id).data.tags["data.gaussian"] == STUDY.datasets[0].digest
    # Trials that are added later have seen nothing of it.
    tracker.log_trial(run_id, finished(0))
    (child,) = children(client, run_id)
    assert [item.dataset.name for item in child.inputs.dataset_inputs] == ["gaussian"]


def test_passwords_reach_neither_parameters_nor_tags_nor_sources(tracker, root):
    secret = "postgresql://ada:pa55w0rd@db/optuna"
    run_id = tracker.open_run(RunEntry("regression", "secret", params={"storage": secret}, tags={"storage": secret}))
    tracker.log_trial(run_id, TrialEntry(0, {"storage": secret}, {}, 1.0, 2.0, tags={"address": secret}))
    del tracker
    stored = b"".join(path.read_bytes() for path in root.glob("mlflow.db*"))
    assert b"ada:***@db" in stored
    assert b"pa55w0rd" not in stored


def test_inside_mlflow_run_our_runs_are_still_created_in_our_experiments(tracker, client, monkeypatch):
    outer = client.create_run(client.create_experiment("project")).info
    monkeypatch.setenv("MLFLOW_RUN_ID", outer.run_id)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", outer.experiment_id)
    run_id = tracker.open_run(STUDY)
    tracker.log_trial(run_id, finished(0))
    for run in [client.get_run(run_id), *children(client, run_id)]:
        assert run.info.run_id != outer.run_id
        assert client.get_experiment(run.info.experiment_id).name == "regression"
        assert run.data.tags["mlproject.run_id"] == outer.run_id
    assert client.get_run(outer.run_id).data.params == {}


def test_a_deleted_experiment_is_restored(tracker, client):
    run_id = tracker.open_run(STUDY)
    client.delete_experiment(client.get_run(run_id).info.experiment_id)
    other = tracker.open_run(RunEntry("regression", "another"))
    assert client.get_run(other).info.experiment_id == client.get_run(run_id).info.experiment_id


def test_a_run_that_was_deleted_during_a_study_is_brought_back(root, tracker, client, tmp_path):
    run_id = tracker.open_run(STUDY)
    tracker.log_trial(run_id, finished(0))
    (tmp_path / "note.txt").write_text("a note")
    for say in (
        lambda: tracker.log_metrics(run_id, {"best": 1.0}),
        lambda: tracker.log_params(run_id, {"best_depth": 1}),
        lambda: tracker.log_files(run_id, tmp_path / "note.txt"),
        lambda: tracker.log_model(run_id, linear_model(tmp_path)),
        lambda: tracker.close_run(run_id),
        lambda: MlflowTracker(root=root).open_run(STUDY),
    ):
        client.delete_run(run_id)
        say()
        assert client.get_run(run_id).info.lifecycle_stage == "active"
    assert MlflowTracker(root=root).open_run(STUDY) == run_id
    assert [child.data.tags["optuna.trial"] for child in children(client, run_id)] == ["0"]


def test_trials_whose_parent_is_gone_become_children_of_the_next(root, tracker, client):
    lost = tracker.open_run(STUDY)
    for number in range(2):
        tracker.log_trial(lost, finished(number))
    other = tracker.open_run(RunEntry(STUDY.experiment, "other"))
    tracker.log_trial(other, finished(0))
    client.delete_run(lost)
    tracker._opened[0]._tracking_client.store._hard_delete_run(lost)
    run_id = MlflowTracker(root=root).open_run(STUDY)
    assert run_id != lost
    assert sorted(child.data.tags["optuna.trial"] for child in children(client, run_id)) == ["0", "1"]
    assert len(children(client, other)) == 1


def test_time_inside_the_tracker_is_counted(tracker):
    tracker.open_run(STUDY)
    assert tracker.seconds > 0.0
