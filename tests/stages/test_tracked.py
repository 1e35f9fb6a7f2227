"""What the pipeline of the small project left in MLflow."""

import json
import os
import subprocess
import sys

import pytest

from nmr_platform.stages.features import read_features
from nmr_platform.stages.tune import read_tuned
from nmr_platform.tracking.address import resolve_store
from nmr_platform.tracking.mlflow.store import open_client
from nmr_platform.workspace import Workspace
from tests.databases import copy_database
from tests.stages.tiny import ROOT, TASKS, contents, copied, isolate, nmr
from tests.stages.tiny import champion_of as champion_of_task


@pytest.fixture(scope="module")
def client(project):
    return open_client(resolve_store(f"sqlite:///{project / 'mlflow.db'}", project))


def runs(client, experiment, terms=""):
    found = client.get_experiment_by_name(experiment)
    return client.search_runs([found.experiment_id], terms)


def parents(client, experiment):
    return [run for run in runs(client, experiment) if "mlflow.parentRunId" not in run.data.tags]


def children(client, run):
    return client.search_runs([run.info.experiment_id], f"tags.`mlflow.parentRunId` = '{run.info.run_id}'")


def artefacts(client, run, folder):
    return {item.path for item in client.list_artifacts(run.info.run_id, folder)}


def champion_of(project, client, task):
    name = read_tuned(Workspace(project), task).champion.run_name
    return next(run for run in parents(client, task) if run.info.run_name == name)


def test_there_is_one_experiment_a_question(client):
    names = {experiment.name for experiment in client.search_experiments()}
    assert names == {"Default", "W", "power_vs_rest", "designed-W", "pulse-design"}


@pytest.mark.parametrize("task", TASKS)
def test_each_study_is_a_finished_parent_with_a_child_a_trial(project, client, task):
    found = parents(client, task)
    assert sorted(run.info.run_name for run in found) == sorted(
        study.run_name for study in read_tuned(Workspace(project), task).studies
    )
    for parent in found:
        trials = children(client, parent)
        assert parent.info.status == "FINISHED"
        assert sorted(int(run.data.tags["optuna.trial"]) for run in trials) == [0, 1]
        assert {run.info.status for run in trials} == {"FINISHED"}
        assert parent.info.end_time == max(run.info.end_time for run in trials), "not when it was evaluated"


@pytest.mark.parametrize(("task", "metric"), [("W", "r2"), ("power_vs_rest", "f1_weighted")])
def test_parents_have_the_scores_of_tuning_and_of_the_held_out_part(project, client, task, metric):
    tuned = {study.run_name: study for study in read_tuned(Workspace(project), task).studies}
    for parent in parents(client, task):
        study, measured = tuned[parent.info.run_name], parent.data.metrics
        assert measured[f"cv_{metric}"] == study.cv_mean
        assert measured[f"test_{metric}_lower"] <= measured[f"test_{metric}"] <= measured[f"test_{metric}_upper"]
        assert parent.data.params.keys() >= {f"best_{name}" for name in study.best_params}


@pytest.mark.parametrize(("task", "figure"), [("W", "parity"), ("power_vs_rest", "confusion")])
def test_parents_have_the_figures_and_tables_of_their_model(client, task, figure):
    for parent in parents(client, task):
        assert artefacts(client, parent, "figures") >= {
            f"figures/{figure}.png",
            "figures/importances.png",
            "figures/top_features.png",
        }
        assert "tables/predictions.json" in artefacts(client, parent, "tables")


@pytest.mark.parametrize(("task", "kernels"), [("W", ["gaussian"]), ("power_vs_rest", ["gaussian", "power", "rkky"])])
def test_parents_and_children_name_the_data_they_read(project, client, task, kernels):
    digests = {record.name: record.digest for record in read_features(Workspace(project)).datasets}
    for parent in parents(client, task):
        for run in (parent, *children(client, parent)):
            named = {item.dataset.name: item.dataset.digest for item in run.inputs.dataset_inputs}
            expected = {kernel: digests[kernel] for kernel in kernels}
            if run is parent:
                # Evaluation looked at the part that is held out.
                expected |= {f"{kernel} (test)": digests[kernel] for kernel in kernels}
            assert named == expected
            assert run.data.tags[f"data.{kernels[0]}"] == digests[kernels[0]]


@pytest.mark.parametrize("task", TASKS)
def test_only_the_champion_of_tuning_is_registered_and_has_the_alias(project, client, task):
    expected = champion_of(project, client, task)
    (version,) = client.search_model_versions(f"name = 'nmr-{task}'")
    assert version.run_id == expected.info.run_id
    assert client.get_model_version_by_alias(f"nmr-{task}", "champion").version == version.version


def test_every_study_keeps_its_model(client):
    for parent in parents(client, "W"):
        (output,) = parent.outputs.model_outputs
        model = client.get_logged_model(output.model_id)
        assert model.status == "READY"
        assert model.name == (
            "nmr-W" if "mlflow.modelVersions" in model.tags else parent.info.run_name.replace("/", "-")
        )
        assert {(metric.key, metric.dataset_name) for metric in model.metrics} == {("test_r2", "gaussian (test)")}


def test_everything_says_what_it_is(project, client):
    assert (
        client.get_experiment_by_name("W").tags["mlflow.note.content"].startswith("Asked of an echo: kernel integral")
    )
    parent = champion_of(project, client, "W")
    told, found = parent.data.tags["mlflow.note.content"], parent.data.metrics
    (best,) = (run for run in children(client, parent) if run.data.metrics["cv_r2"] == found["best_score"])
    interval = f"interval {found['test_r2_lower']:.3f} to {found['test_r2_upper']:.3f}"
    assert f"* Held-out `test_r2`: **{found['test_r2']:.3f}**, {interval}" in told
    assert f"[{best.info.run_name}](#/experiments/{best.info.experiment_id}/runs/{best.info.run_id})" in told
    assert "`data/simulated/gaussian.zarr`" in told
    assert "`reports/index.html`" in told
    assert "nmr-W@champion" in client.get_registered_model("nmr-W").description
    assert "mlflow.note.content" not in best.data.tags, "a trial is not its study"


def test_a_version_has_a_card_with_data_protocol_scores_weaknesses_limits_and_licence(project, client):
    version = client.get_model_version_by_alias("nmr-W", "champion")
    card = (champion_of_task(project, "W") / "model" / "card.md").read_text()
    assert version.description == card
    parts = dict(part.split("\n", 1) for part in card.removeprefix("## ").split("\n## "))
    assert list(parts)[1:] == ["Data", "Protocol", "Scores", "Where it fails", "Limits", "Licence"]
    assert "24 simulated curves of 8 x 8 spins, fresh disorder, measured by 90x - 25 us - 180y - 50 us" in parts["Data"]
    assert "coupling.alpha_x uniform" in parts["Data"]
    found = client.get_run(version.run_id).data.metrics
    assert f"| R2 | {found['test_r2']:.4g} |" in parts["Scores"]
    assert "| share of the truth in 90 % prediction intervals |" in parts["Scores"]
    assert "| W (MHz) | root mean square error (MHz) | interval | curves |" in parts["Where it fails"]
    assert "R2 against noise of each component of M:" in parts["Limits"]


def test_the_card_of_a_classifier_says_where_it_is_wrong(project):
    card = (champion_of_task(project, "power_vs_rest") / "model" / "card.md").read_text()
    assert "was it the power kernel, or another (gaussian, power, rkky)" in card
    assert "| W (MHz) | weighted F1 | interval | curves |" in card
    assert "calibration error" in card


def test_the_page_of_a_champion_names_its_version_and_all_held_out_data(client):
    version = client.get_model_version_by_alias("nmr-power_vs_rest", "champion")
    parent = client.get_run(version.run_id)
    (output,) = parent.outputs.model_outputs
    model = client.get_logged_model(output.model_id)
    assert json.loads(model.tags["mlflow.modelVersions"]) == [{"name": "nmr-power_vs_rest", "version": "1"}]
    names = {metric.dataset_name for metric in model.metrics}
    assert names == {f"{kernel} (test)" for kernel in ("gaussian", "power", "rkky")}


def test_the_pulse_search_is_a_parent_with_its_verdict_and_a_child_a_sequence(client):
    (parent,) = parents(client, "pulse-design")
    drawn = {"map", "history", "echoes", "pareto", "sequence", "verdict"}
    assert artefacts(client, parent, "figures") == {f"figures/{name}.png" for name in drawn}
    assert {"best_score", "baseline_score", "verdict_r2_W_lower", "verdict_r2_Z_best"} <= set(parent.data.metrics)
    assert "verdict_r2_W_best.noise 0.01" in parent.data.metrics
    assert artefacts(client, parent, "") >= {"best.yaml", "summary.json"}
    tried = {int(run.data.tags["optuna.trial"]): run.data for run in children(client, parent)}
    assert sorted(tried) == [0, 1, 2]
    assert (tried[0].params["theta1"], tried[0].params["theta2"]) == ("90.0", "180.0")
    assert tried[0].metrics["score"] == parent.data.metrics["baseline_score"]
    assert tried[1].metrics.keys() >= {"score_error", "simulated_us", "r2_Z"}


def test_no_run_is_named_in_a_file_that_dvc_hashes(project, client):
    text = b"\n".join(contents(project).values())
    for experiment in client.search_experiments():
        for run in client.search_runs([experiment.experiment_id]):
            assert run.info.run_id.encode() not in text


def test_runs_are_recorded_beside_the_parameter_file_wherever_the_command_was_called(
    project, tmp_path, monkeypatch, migrated_database
):
    from tests.databases import copy_database

    isolate(monkeypatch, tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    other = copied(project, tmp_path / "project")
    copy_database(migrated_database, other / "mlflow.db")
    monkeypatch.chdir(tmp_path)
    assert nmr(other, "tune", "--task", "W").code == 0
    assert parents(open_client(resolve_store(root=other)), "W")
    assert not list(tmp_path.glob("mlflow*"))


def test_a_command_does_not_end_before_what_it_recorded_has_arrived(spoilable, tmp_path, migrated_database):
    copy_database(migrated_database, tmp_path / "mlflow.db")
    # In a process of its own, with whatever it has not sent ending with it.
    command = [sys.executable, "-m", "nmr_platform", "optimise-pulses", "--params", str(spoilable / "params.yaml")]
    subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True, capture_output=True)
    client = open_client(resolve_store(f"sqlite:///{tmp_path / 'mlflow.db'}", tmp_path))
    (parent,) = parents(client, "pulse-design")
    assert artefacts(client, parent, "") >= {"best.yaml", "summary.json"}
