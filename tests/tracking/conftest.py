"""A MLflow database per test, copied from one that is migrated once: the migration takes seconds."""

import socket
from contextlib import closing
from pathlib import Path

import pytest
from mlflow import MlflowClient

from nmr_platform.tracking.mlflow.store import open_client
from nmr_platform.tracking.mlflow.tracker import MlflowTracker
from tests.databases import copy_database


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID", "DVC_ROOT", "DVC_STAGE", "DVC_EXP_NAME"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def root(tmp_path: Path, migrated_database: Path) -> Path:
    copy_database(migrated_database, tmp_path / "mlflow.db")
    return tmp_path


@pytest.fixture
def tracker(root: Path) -> MlflowTracker:
    return MlflowTracker(root=root)


@pytest.fixture
def client(tracker: MlflowTracker) -> MlflowClient:
    return open_client(tracker.address)


@pytest.fixture
def free_port() -> int:
    """A port on 127.0.0.1 that nobody listens on."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
