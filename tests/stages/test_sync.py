"""MLflow is lost, database and artifacts: `nmr track sync` shows everything again from studies and outputs."""

import shutil
import warnings

import pytest

from nmr_platform.schema import read_yaml
from nmr_platform.tracking import TrackingWarning, resolve_store
from nmr_platform.tracking.mlflow import open_client
from tests.databases import copy_database
from tests.stages.shown import everything_shown, identifiers
from tests.stages.tiny import nmr, write_params


def client_of(folder):
    return open_client(resolve_store(f"sqlite:///{folder / 'mlflow.db'}", folder))


@pytest.fixture(scope="module")
def before(project):
    return everything_shown(client_of(project))


@pytest.fixture
def rebuilt(spoilable, tmp_path, migrated_database):
    """The finished project whose MLflow was lost and rebuilt."""
    copy_database(migrated_database, tmp_path / "mlflow.db")
    done = nmr(spoilable, "track", "sync")
    assert (done.code, done.err) == (0, "")
    return spoilable


def test_everything_that_was_lost_is_there_again(rebuilt, tmp_path, before):
    after = everything_shown(client_of(tmp_path))
    assert after["runs"].keys() == before["runs"].keys()
    for key, run in before["runs"].items():
        for part, shown in run.items():
            assert after["runs"][key][part] == shown, (key, part)
    assert after["registry"] == before["registry"]
    assert after["experiments"] == before["experiments"]


def test_a_second_sync_changes_nothing(rebuilt, tmp_path):
    client = client_of(tmp_path)
    shown, known = everything_shown(client), identifiers(client)
    assert nmr(rebuilt, "track", "sync").code == 0
    assert identifiers(client) == known
    assert everything_shown(client) == shown


def test_what_is_there_is_completed_and_not_doubled(project, spoilable, tmp_path, before):
    copy_database(project / "mlflow.db", tmp_path / "mlflow.db")
    shutil.copytree(project / "mlartifacts", tmp_path / "mlartifacts")
    client = client_of(tmp_path)
    known = identifiers(client)
    (lost, *_) = (run for run in client.search_runs(["1"]) if run.data.tags.get("optuna.trial") == "0")
    client.delete_run(lost.info.run_id)
    assert nmr(spoilable, "track", "sync").code == 0
    assert len(identifiers(client)) == len(known)
    assert everything_shown(client)["runs"].keys() == before["runs"].keys()


def test_a_command_without_a_server_warns_once_and_sync_shows_what_it_did(spoilable, tmp_path, monkeypatch, before):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    for stage in ("tune", "evaluate"):
        with warnings.catch_warnings():
            warnings.simplefilter("always", TrackingWarning)  # what the command line prints is an error in tests
            ended = nmr(spoilable, stage, "--task", "W")
        assert ended.code == 0
        assert ended.err.count("Warning:") == ended.err.count("`nmr track sync`") == 1
        assert "does not answer" in ended.err
    refused = nmr(spoilable, "track", "sync")
    assert (refused.code, refused.out) == (2, "")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    assert nmr(spoilable, "track", "sync").code == 0
    assert everything_shown(client_of(tmp_path))["runs"].keys() == before["runs"].keys()


def test_a_search_whose_space_does_not_hold_the_textbook_echo_is_rebuilt_too(spoilable, tmp_path, migrated_database):
    values = read_yaml(spoilable / "params.yaml")
    values["pulse_search"]["space"]["sequences"][0]["vary"]["theta2"] |= {"low": 100.0, "high": 150.0}
    write_params(spoilable, values)
    copy_database(migrated_database, tmp_path / "mlflow.db")
    assert nmr(spoilable, "optimise-pulses").code == 0
    live = everything_shown(client_of(tmp_path))["runs"]
    for path in (tmp_path / "mlflow.db", tmp_path / "mlflow.db-wal", tmp_path / "mlflow.db-shm"):
        path.unlink(missing_ok=True)
    shutil.rmtree(tmp_path / "mlartifacts")
    copy_database(migrated_database, tmp_path / "mlflow.db")
    assert nmr(spoilable, "track", "sync").code == 0
    again = everything_shown(client_of(tmp_path))["runs"]
    assert {key: again[key] for key in live} == live
    (parent,) = (run for key, run in live.items() if key[1] == "")
    assert "sequences/best-1.yaml" in parent["artifacts"]
