"""MLflow is lost, database and artifacts: `nmr track sync` shows everything again from studies and outputs."""

import shutil

import pytest

from nmr_platform.tracking import resolve_store
from nmr_platform.tracking.mlflow import open_client
from tests.databases import copy_database
from tests.stages.shown import everything_shown, identifiers
from tests.stages.tiny import nmr


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
        if key[0] == "pulse-design":
            continue  # until a pulse search keeps its run, too
        for part, shown in run.items():
            assert after["runs"][key][part] == shown, (key, part)
    assert after["registry"] == before["registry"]


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
