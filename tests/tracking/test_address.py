from pathlib import Path

import pytest

from nmr_platform.tracking.address import StoreAddress, masked_uri, resolve_store
from nmr_platform.workspace import repository_root


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("postgresql://ada:pa55@db:5432/mlflow", "postgresql://ada:***@db:5432/mlflow"),
        ("postgresql://ada:p@55@db/mlflow", "postgresql://ada:***@db/mlflow"),
        ("postgresql:///mlflow?host=/run&password=pa55&x=1", "postgresql:///mlflow?host=/run&password=***&x=1"),
        ("https://:t0ken@server/path", "https://:***@server/path"),
        ("http://localhost:5000", "http://localhost:5000"),
        ("sqlite:////data/mlflow.db", "sqlite:////data/mlflow.db"),
        ('{"a": "http://h:80", "b": "x@y"}', '{"a": "http://h:80", "b": "x@y"}'),
        ("could not reach http://ada:pa55@h/api twice", "could not reach http://ada:***@h/api twice"),
    ],
)
def test_passwords_are_masked_and_nothing_else(uri, shown):
    assert masked_uri(uri) == shown


def test_an_address_shows_itself_without_its_password():
    assert str(StoreAddress("postgresql://ada:pa55@db/mlflow")) == "postgresql://ada:***@db/mlflow"


def test_the_default_store_is_a_file_in_the_repository(tmp_path):
    address = resolve_store(root=tmp_path)
    assert address.uri == f"sqlite:///{tmp_path}/mlflow.db"
    assert address.sqlite_file == tmp_path / "mlflow.db"
    assert address.artifact_location == (tmp_path / "mlartifacts").as_uri()


def test_the_environment_names_the_store_unless_the_caller_does(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://server:5000")
    assert resolve_store(root=tmp_path) == StoreAddress("http://server:5000")
    assert resolve_store("http://other:5000", tmp_path).uri == "http://other:5000"


def test_a_relative_database_file_becomes_absolute(tmp_path):
    address = resolve_store("sqlite:///runs/mlflow.db", tmp_path)
    assert address.uri == f"sqlite:///{tmp_path}/runs/mlflow.db"
    assert address.artifact_location == (tmp_path / "runs/mlartifacts").as_uri()


@pytest.mark.parametrize("marker", ["params.yaml", ".git"])
def test_the_repository_is_found_from_a_folder_inside_it(tmp_path, marker):
    (tmp_path / marker).touch()
    inside = tmp_path / "a" / "b"
    inside.mkdir(parents=True)
    assert repository_root(inside) == tmp_path


def test_dvc_says_where_the_repository_is(tmp_path, monkeypatch):
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    assert repository_root(Path("/")) == tmp_path


def test_a_queued_experiment_records_in_the_repository_it_was_copied_from(tmp_path, monkeypatch):
    monkeypatch.setenv("DVC_ROOT", str(tmp_path / ".dvc/tmp/exps/tmpabc"))
    assert resolve_store().sqlite_file == tmp_path / "mlflow.db"
    assert repository_root() != tmp_path, "the commit is still that of the copy"
