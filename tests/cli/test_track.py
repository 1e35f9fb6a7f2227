"""`nmr studies`, `nmr track` and the workers of `nmr tune`."""

import json
from collections import Counter

import pytest

from nmr_platform.stages.tune import read_tuned
from nmr_platform.studies import finished_trials, load_studies, open_storage
from nmr_platform.tracking.address import resolve_store
from nmr_platform.tracking.mlflow.store import open_client
from nmr_platform.workspace import Workspace
from tests.databases import copy_database
from tests.stages.tiny import copied, isolate, merged, nmr, nmr_alone, tiny_values, write_params


def test_studies_are_listed_for_people_and_programs(spoilable):
    listed = nmr(spoilable, "studies")
    names = {study.study_name for study in read_tuned(Workspace(spoilable), "W").studies}
    assert all(name in listed.out for name in names)
    for study in json.loads(nmr(spoilable, "studies", "--json").out)["studies"]:
        assert study["finished"] + study["failed"] >= 2


def test_without_a_study_the_next_command_is_told(tmp_path, monkeypatch):
    isolate(monkeypatch, tmp_path)
    write_params(tmp_path, tiny_values())
    assert nmr(tmp_path, "studies").out == "There are no studies yet: `nmr tune --task W` makes one.\n"


def test_mlflow_is_rebuilt_from_the_studies_and_nothing_doubled(spoilable, tmp_path, migrated_database):
    copy_database(migrated_database, tmp_path / "mlflow.db")
    for _ in range(2):
        done = nmr(spoilable, "track", "sync")
        assert done.code == 0, done.err
    client = open_client(resolve_store(f"sqlite:///{tmp_path / 'mlflow.db'}", tmp_path))
    for study in load_studies(open_storage(Workspace(spoilable).studies)):
        experiment, _, name = study.study_name.partition("/")
        found = client.get_experiment_by_name(experiment).experiment_id
        (parent,) = client.search_runs([found], f"tags.`nmr.run` = '{name}'")
        children = client.search_runs([found], f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'")
        tried = Counter(int(child.data.tags["optuna.trial"]) for child in children)
        assert tried == Counter(trial.number for trial in finished_trials(study))
        assert parent.data.metrics["n_trials"] == len(finished_trials(study))


def test_two_workers_tune_as_many_trials_as_one_was_asked_for(project, tmp_path, monkeypatch):
    isolate(monkeypatch, tmp_path)
    folder = copied(project, tmp_path / "project", journal=False)
    write_params(folder, merged(tiny_values(), {"tune": {"n_trials": 4, "families": ["xgboost"], "pruner": "none"}}))
    done = nmr(folder, "tune", "--task", "W", "--workers", "2", "--tracker", "none")
    assert done.code == 0, done.err
    (study,) = load_studies(open_storage(Workspace(folder).studies))
    assert len(finished_trials(study)) == 4
    assert read_tuned(Workspace(folder), "W").studies[0].n_trials == 4


@pytest.mark.slow
def test_tasks_of_a_dask_cluster_are_workers_too(project, tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed")
    isolate(monkeypatch, tmp_path)
    folder = copied(project, tmp_path / "project", journal=False)
    write_params(folder, merged(tiny_values(), {"tune": {"n_trials": 4, "families": ["xgboost"], "pruner": "none"}}))
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster:
        # A task that failed would be a warning, and so an error here.
        done = nmr(
            folder,
            *("tune", "--task", "W", "--workers", "3", "--tracker", "none"),
            *("--scheduler", cluster.scheduler_address),
        )
    assert done.code == 0, done.err
    (study,) = load_studies(open_storage(Workspace(folder).studies))
    assert len(finished_trials(study)) == 4


def test_two_workers_share_the_sequences_of_a_pulse_search(project, tmp_path, monkeypatch):
    isolate(monkeypatch, tmp_path)
    folder = copied(project, tmp_path / "project", journal=False)
    write_params(folder, merged(tiny_values(), {"pulse_search": {"n_trials": 6}}))
    # A worker that failed would be a warning, and so an error here.
    done = nmr(folder, "optimise-pulses", "--workers", "2", "--tracker", "none")
    assert done.code == 0, done.err
    (study,) = load_studies(open_storage(Workspace(folder).studies))
    assert len(finished_trials(study)) == 6
    assert len({json.dumps(trial.params) for trial in finished_trials(study)}) == 6


def test_a_model_that_is_not_registered_is_one_sentence(tmp_path, monkeypatch, migrated_database):
    isolate(monkeypatch, tmp_path)
    copy_database(migrated_database, tmp_path / "mlflow.db")
    write_params(tmp_path, tiny_values())
    ended = nmr_alone("track", "origin", "nmr-W", "--params", str(tmp_path / "params.yaml"))
    assert ended.code == 2
    assert "Model `nmr-W` has no version or alias `champion`" in " ".join(ended.err.split())
