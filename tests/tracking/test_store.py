import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import optuna
import pytest

from nmr_platform.errors import StoreAwayError, TrackingError
from nmr_platform.tracking import RunEntry
from nmr_platform.tracking.address import resolve_store
from nmr_platform.tracking.mlflow import store
from nmr_platform.tracking.mlflow.store import open_client
from nmr_platform.tracking.mlflow.tracker import MlflowTracker
from tests.databases import copy_database

OPEN_A_RUN = """
import sys
from pathlib import Path
from nmr_platform.tracking import RunEntry
from nmr_platform.tracking.mlflow.tracker import MlflowTracker
print(MlflowTracker(root=Path(sys.argv[1])).open_run(RunEntry("regression", "study")))
"""


def test_two_processes_can_open_a_missing_database_at_once(tmp_path):
    command = [sys.executable, "-c", OPEN_A_RUN, str(tmp_path)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(command, **pipes) for _ in range(2)]
    answers = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], answers
    assert answers[0] == answers[1], "both worked on the same run, and neither printed anything else"
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("SELECT count(*) FROM runs").fetchone() == (1,)


@pytest.mark.parametrize("scheme", ["http", "postgresql+psycopg"])
def test_a_server_that_does_not_answer_is_one_sentence_without_the_password(tmp_path, scheme):
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        uri = f"{scheme}://ada:pa55@127.0.0.1:{taken.getsockname()[1]}/mlflow"
        tracker = MlflowTracker(uri, tmp_path)
        with pytest.raises(
            TrackingError, match=r"ada:\*\*\*@127.*does not answer.*unset MLFLOW_TRACKING_URI"
        ) as caught:
            tracker.open_run(RunEntry("regression", "study"))
    assert "pa55" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_what_the_store_refuses_is_one_sentence(tracker):
    with pytest.raises(TrackingError, match=r"The tracking store sqlite.* failed at `log_metrics`: .*not found"):
        tracker.log_metrics("0" * 32, {"r2": 1.0})


def changed(file, statement):
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(statement)


def test_a_damaged_database_is_refused_with_what_rebuilds_it(root):
    (root / "mlflow.db").write_text("not a database, but long enough to be taken for a damaged one " * 20)
    with pytest.raises(
        TrackingError, match=r"mlflow\.db is damaged .*not a database\): move it away, and `nmr track sync`"
    ):
        MlflowTracker(root=root).open_run(RunEntry("regression", "study"))


@pytest.mark.parametrize("reading", [False, True])
@pytest.mark.parametrize("revision", ["acf3f17fdcc7", "ffffffffffff"])
def test_a_database_of_another_version_is_refused_with_the_command_that_helps(root, revision, reading):
    changed(root / "mlflow.db", f"UPDATE alembic_version SET version_num = '{revision}'")
    with pytest.raises(TrackingError, match=r"another version of MLflow than 3.*`mlflow db upgrade sqlite:///.*\.db`"):
        open_client(resolve_store(root=root), reading=reading)


@pytest.mark.parametrize("reading", [False, True])
@pytest.mark.parametrize("also", [False, True], ids=["its own", "MLflow's too"])
def test_a_database_of_studies_is_refused_and_left_alone(root, also, reading):
    file = root / ("mlflow.db" if also else "studies.db")
    if also:
        changed(file, "UPDATE alembic_version SET version_num = 'v3.2.0.a'")
        changed(file, "CREATE TABLE studies (study_id INTEGER)")
    else:
        optuna.storages.RDBStorage(f"sqlite:///{file}").engine.dispose()
    before = file.read_bytes()
    with pytest.raises(TrackingError, match=r"\.db is a database of Optuna's studies, and MLflow needs one of its own"):
        open_client(resolve_store(f"sqlite:///{file}", root), reading=reading)
    assert file.read_bytes() == before


def test_the_client_is_opened_at_the_first_call_only(tmp_path):
    MlflowTracker(root=tmp_path)
    assert not list(tmp_path.iterdir())


def test_opening_an_existing_store_again_changes_nothing(tracker, client):
    before = [experiment.name for experiment in client.search_experiments()]
    assert [experiment.name for experiment in open_client(tracker.address).search_experiments()] == before


@pytest.mark.parametrize(
    ("end", "raised", "said"),
    [
        (KeyboardInterrupt("half way"), KeyboardInterrupt, "half way"),
        (sqlite3.OperationalError("database or disk is full"), StoreAwayError, "cannot be made: database or disk is"),
        (OSError(28, "No space left on device"), StoreAwayError, "There is no room to write database"),
    ],
)
def test_a_database_whose_tables_are_not_finished_does_not_appear(tmp_path, monkeypatch, end, raised, said):
    def half(engine):
        with engine.connect() as connection:
            connection.exec_driver_sql("CREATE TABLE experiments (name)")
        raise end

    monkeypatch.setattr(store, "_initialize_tables", half)
    with pytest.raises(raised, match=said):
        open_client(resolve_store(root=tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["mlflow.db.lock"]


def test_an_empty_file_is_taken_for_no_database(tmp_path, monkeypatch, migrated_database):
    monkeypatch.setattr(
        store, "_initialize_tables", lambda engine: copy_database(migrated_database, Path(engine.url.database))
    )
    (tmp_path / "mlflow.db").touch()
    client = open_client(resolve_store(root=tmp_path))
    assert [experiment.name for experiment in client.search_experiments()] == ["Default"]


def test_what_is_only_read_is_neither_made_nor_locked(root, tmp_path_factory):
    client = open_client(resolve_store(root=root), reading=True)
    assert [experiment.name for experiment in client.search_experiments()] == ["Default"]
    assert not (root / "mlflow.db.lock").exists()
    nowhere = tmp_path_factory.mktemp("nowhere")
    with pytest.raises(TrackingError, match=r"mlflow.db` does not exist, so nothing is recorded yet"):
        open_client(resolve_store(root=nowhere), reading=True)
    assert list(nowhere.iterdir()) == []
