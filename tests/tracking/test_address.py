from pathlib import Path

import pytest

from nmr_platform.errors import ConfigurationError
from nmr_platform.tracking.address import StoreAddress, resolve_store
from nmr_platform.workspace import repository_root


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


@pytest.mark.parametrize(
    "uri", ["file:///data/mlruns", "htp://x", "mlruns", "/data/mlruns", "ada:pa55@db/mlflow", "redis://db"]
)
def test_what_is_no_store_of_runs_is_refused_with_what_is(tmp_path, monkeypatch, uri):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with pytest.raises(
        ConfigurationError, match=r"`MLFLOW_TRACKING_URI`\) must be an MLflow server .* unset it"
    ) as caught:
        resolve_store(root=tmp_path)
    assert "pa55" not in str(caught.value)


@pytest.mark.parametrize("password", ["pa/55", "pa#55", "pa?55", "pa[55", "12/pa55", "12/pa/55", "12?pa55"])
def test_a_password_that_is_not_quoted_is_refused_without_a_part_of_it(tmp_path, password):
    with pytest.raises(ConfigurationError, match=r"like http://user:\*\*\*@host:5000, with %2F for a /") as caught:
        resolve_store(f"http://ada:{password}@server:5000", tmp_path)
    assert str(caught.value).endswith("but is http://ada:***@server:5000.")


@pytest.mark.parametrize("uri", ["http://server:0", "http://:5000", "http://server:x", "https://server:99999"])
def test_a_server_without_host_or_port_is_refused(tmp_path, uri):
    with pytest.raises(ConfigurationError, match=r"like http://user:\*\*\*@host:5000"):
        resolve_store(uri, tmp_path)


@pytest.mark.parametrize("uri", ["sqlite:///x.db", "postgresql+psycopg://db/x", "mysql://db/x", "https://server"])
def test_databases_and_servers_are_stores_of_runs(tmp_path, uri):
    assert resolve_store(uri, tmp_path).uri.partition(":")[0] == uri.partition(":")[0]
