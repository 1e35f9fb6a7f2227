"""What several folders share: a migrated MLflow database, and one small project on which the whole pipeline ran."""

from pathlib import Path

import pytest

from tests.databases import copy_database
from tests.stages.tiny import KERNELS, TASKS, copied, isolate, nmr, tiny_values, write_params


@pytest.fixture(scope="session")
def migrated_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A MLflow database, migrated once for all tests: the migration takes seconds."""
    from nmr_platform.tracking.address import resolve_store
    from nmr_platform.tracking.mlflow.store import open_client

    root = tmp_path_factory.mktemp("template")
    open_client(resolve_store(f"sqlite:///{root / 'mlflow.db'}", root))
    return root / "mlflow.db"


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory, migrated_database: Path) -> Path:
    """A project on which every stage ran once. Tests only read it; `spoilable` is a copy to change."""
    root = tmp_path_factory.mktemp("project")
    write_params(root, tiny_values())
    copy_database(migrated_database, root / "mlflow.db")
    commands = [
        *(("generate", "--kernel", kernel) for kernel in KERNELS),
        ("features",),
        *((stage, "--task", task) for task in TASKS for stage in ("tune", "evaluate")),
        ("compare-disorder",),
        ("optimise-pulses",),
        *(("generate", "--kernel", kernel, "--designed") for kernel in KERNELS),
        ("features", "--designed"),
        *((stage, "--task", "W", "--designed") for stage in ("tune", "evaluate")),
        ("report",),
    ]
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch, root)
        for command in commands:
            ended = nmr(root, *command)
            assert ended.code == 0, ended.err
    return root


@pytest.fixture
def spoilable(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the finished project, without its MLflow database."""
    isolate(monkeypatch, tmp_path)
    return copied(project, tmp_path / "project")
