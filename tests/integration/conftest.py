"""Real services, started once for the folder; where they cannot be, the tests are skipped and say why."""

import gc
import os
import shutil
import tempfile
import warnings
from pathlib import Path

import pytest

from tests.integration.services import MlflowServer, Postgres, postgres_missing, storage_of


@pytest.fixture(scope="session")
def postgres():
    missing = postgres_missing()
    if missing:
        pytest.skip(missing)
    # Not pytest's folder, which the user that PostgreSQL runs as could not enter.
    home = Path(tempfile.mkdtemp(prefix="nmr-postgres-"))
    home.chmod(0o755)
    server = Postgres(home / "cluster")
    yield server
    server.stop()
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def mlflow_server(postgres, tmp_path_factory):
    folder = tmp_path_factory.mktemp("mlflow")
    (folder / "artifacts").mkdir()
    server = MlflowServer(postgres.database("mlflow"), folder / "artifacts", folder / "log")
    yield server
    server.kill()


@pytest.fixture
def database(postgres, request, monkeypatch):
    """A study database of the test's own, named by NMR_STUDY_STORAGE."""
    url = postgres.database(f"studies_{abs(hash(request.node.name))}_{os.getpid()}")
    monkeypatch.setenv("NMR_STUDY_STORAGE", url)
    yield url
    storage_of.cache_clear()
    with warnings.catch_warnings():
        # Pools of this process are closed by nobody, and psycopg says so when they are collected.
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def tracked(mlflow_server, monkeypatch):
    """The MLflow server, named by MLFLOW_TRACKING_URI."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_server.uri)
    return mlflow_server
