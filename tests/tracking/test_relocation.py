"""A project that was moved or copied: what it shows is its own, and nothing of it lies where it was."""

import shutil

import pytest
from mlflow.tracking._tracking_service.utils import _artifact_repos_cache

from nmr_platform.tracking.address import resolve_store
from nmr_platform.tracking.mlflow import ModelStore
from nmr_platform.tracking.mlflow.relocation import local_path, relocate
from nmr_platform.tracking.mlflow.store import open_client
from nmr_platform.tracking.mlflow.tracker import MlflowTracker
from tests.databases import copy_database
from tests.stages.tiny import contents_of
from tests.tracking.contract import STUDY, linear_model


@pytest.fixture
def original(tmp_path, migrated_database):
    """A project with a file and a champion, at an address that needs to be quoted."""
    folder = tmp_path / "the old place"
    folder.mkdir()
    copy_database(migrated_database, folder / "mlflow.db")
    (folder / "note.txt").write_text("old")
    tracker = MlflowTracker(root=folder)
    run_id = tracker.open_run(STUDY)
    tracker.log_files(run_id, folder / "note.txt")
    tracker.log_model(run_id, linear_model(folder, registered_name="nmr-w", score=0.5, metric="test_r2"))
    tracker.close_run(run_id)
    # Within one process, MLflow remembers where the artifacts of a run went.
    _artifact_repos_cache.clear()
    return folder


def moved(original):
    return shutil.move(original, original.with_name("a new place"))


def copied(original):
    return shutil.copytree(original, original.with_name("a copy"))


def every_address(folder):
    client = open_client(resolve_store(root=folder))
    experiments = client.search_experiments()
    runs = client.search_runs([each.experiment_id for each in experiments])
    versions = client.search_model_versions()
    models = client.search_logged_models([each.experiment_id for each in experiments])
    return [
        *(each.artifact_location for each in experiments if each.name != "Default"),
        *(run.info.artifact_uri for run in runs),
        *(version.source for version in versions),
        *(model.artifact_location for model in models),
    ]


@pytest.mark.parametrize("elsewhere", [moved, copied])
def test_what_was_kept_is_read_where_the_project_lies_now(original, elsewhere):
    folder = elsewhere(original)
    home = resolve_store(root=folder).artifact_location
    addresses = every_address(folder)
    assert len(addresses) == 4
    assert all(address == home or address.startswith(f"{home}/") for address in addresses)
    client = open_client(resolve_store(root=folder))
    run_id = MlflowTracker(root=folder).open_run(STUDY)
    assert [item.path for item in client.list_artifacts(run_id)] == ["note.txt"]
    with ModelStore(root=folder).files("nmr-w") as files:
        assert files.is_relative_to(folder)
        assert (files / "MLmodel").is_file()


@pytest.mark.parametrize("elsewhere", [moved, copied])
def test_what_is_added_is_written_where_the_project_lies_now(original, elsewhere):
    folder = elsewhere(original)
    before = contents_of(original)
    tracker = MlflowTracker(root=folder)
    run_id = tracker.open_run(STUDY)
    (folder / "note.txt").write_text("new")
    tracker.log_files(run_id, folder / "note.txt")
    tracker.log_model(run_id, linear_model(folder, slope=3.0, registered_name="nmr-w", score=0.9, metric="test_r2"))
    tracker.close_run(run_id)
    assert contents_of(original) == before
    assert (folder / "mlartifacts" / run_id / "artifacts" / "note.txt").read_text() == "new"
    with ModelStore(root=folder).files("nmr-w/2") as files:
        assert files.is_relative_to(folder)


def test_a_copy_whose_database_cannot_be_changed_reads_its_own_model(original):
    address = resolve_store(root=copied(original))
    source = f"{resolve_store(root=original).artifact_location}/models"
    assert local_path(source, address) == original.with_name("a copy") / "mlartifacts" / "models"
    assert local_path("s3://bucket/mlartifacts/models", address) is None
    assert local_path("/somewhere/else", address).as_posix() == "/somewhere/else"


def test_a_store_that_lies_where_it_lay_is_not_written_to(original):
    address = resolve_store(root=original)
    before = address.sqlite_file.read_bytes()
    relocate(address)
    assert address.sqlite_file.read_bytes() == before


def test_a_link_to_the_project_is_the_same_place(original):
    link = original.with_name("link")
    link.symlink_to(original)
    before = every_address(original)
    assert every_address(link) == before


def test_artifacts_that_were_put_elsewhere_on_purpose_stay_there(original):
    client = open_client(resolve_store(root=original))
    client.create_experiment("shared", "file:///shared/results")
    folder = moved(original)
    assert open_client(resolve_store(root=folder)).get_experiment_by_name("shared").artifact_location == (
        "file:///shared/results"
    )
