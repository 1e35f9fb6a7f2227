"""A MLflow database per test, copied from one that is migrated once: the migration takes seconds."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from mlflow import MlflowClient

from nmr_platform.tracking.address import resolve_store
from nmr_platform.tracking.mlflow_tracker import MlflowTracker
from nmr_platform.tracking.store import open_client


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID", "DVC_ROOT", "DVC_STAGE", "DVC_EXP_NAME"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def migrated_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("template")
    open_client(resolve_store(f"sqlite:///{root / 'mlflow.db'}", root))
    return root / "mlflow.db"


@pytest.fixture
def root(tmp_path: Path, migrated_database: Path) -> Path:
    with (
        closing(sqlite3.connect(migrated_database)) as source,
        closing(sqlite3.connect(tmp_path / "mlflow.db")) as copy,
    ):
        source.backup(copy)
    return tmp_path


@pytest.fixture
def tracker(root: Path) -> MlflowTracker:
    return MlflowTracker(root=root)


@pytest.fixture
def client(tracker: MlflowTracker) -> MlflowClient:
    return open_client(tracker.address)
