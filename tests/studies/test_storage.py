"""What the storage does with a journal that a killed process left, and with a database that cannot be opened."""

import sqlite3
from contextlib import closing

import pytest

from nmr_platform.errors import ConfigurationError
from nmr_platform.studies import JOURNAL, STORAGE_VARIABLE, open_storage, storage
from tests.databases import copy_database
from tests.studies.test_loop import run


@pytest.mark.parametrize("torn", [b"", b"{", b'{"op_code":6,"worker'])
def test_a_torn_last_line_of_the_journal_is_cut_off_to_the_byte(tmp_path, monkeypatch, torn):
    monkeypatch.delenv(STORAGE_VARIABLE, raising=False)
    run(tmp_path, 1)
    journal = tmp_path / JOURNAL
    whole = journal.read_bytes()
    journal.write_bytes(whole + torn)
    open_storage(tmp_path)
    assert journal.read_bytes() == whole


def test_the_password_of_a_database_that_cannot_be_opened_is_not_told(tmp_path, monkeypatch):
    url = "postgresql+psycopg://ada:pa55@db/studies"

    def refuse(url, **_):
        message = f"cannot reach {url}"
        raise RuntimeError(message)

    monkeypatch.setenv(STORAGE_VARIABLE, url)
    monkeypatch.setattr(storage, "database_owner", lambda _: None)
    monkeypatch.setattr(storage, "RDBStorage", refuse)
    with pytest.raises(ConfigurationError, match=r"but: cannot reach postgresql\+psycopg://ada:\*\*\*@db/studies$"):
        open_storage(tmp_path)


@pytest.mark.parametrize(
    "url",
    [
        "ada:pa55@db/studies",
        "pa55@db",
        "htp://ada:pa55@db",
        "postgresql+psycopg://ada:pa55@db:pa55/x",
        "sqlite://ada:pa55@db/x",
    ],
)
def test_the_password_of_an_address_that_is_none_is_not_told(tmp_path, monkeypatch, url):
    monkeypatch.setenv(STORAGE_VARIABLE, url)
    with pytest.raises(ConfigurationError, match=f"Variable `{STORAGE_VARIABLE}` must (be|name) a database") as caught:
        open_storage(tmp_path)
    assert "pa55" not in str(caught.value)
    assert "pa55" not in str(caught.value.value)


def test_a_database_of_another_version_is_refused_with_the_command_that_helps(tmp_path, monkeypatch):
    file = tmp_path / "studies.db"
    monkeypatch.setenv(STORAGE_VARIABLE, f"sqlite:///{file}")
    open_storage(tmp_path).engine.dispose()
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = 'v2.6.0.a'")
    with pytest.raises(
        ConfigurationError, match=r"another version of Optuna than 5.*`optuna storage upgrade --storage sqlite"
    ):
        open_storage(tmp_path)


def test_a_database_of_mlflow_is_refused_and_left_alone(tmp_path, monkeypatch, migrated_database):
    file = tmp_path / "mlflow.db"
    copy_database(migrated_database, file)
    before = file.read_bytes()
    monkeypatch.setenv(STORAGE_VARIABLE, f"sqlite:///{file}")
    with pytest.raises(
        ConfigurationError, match=r"must name a database of its own, but sqlite:.*mlflow\.db is MLflow's"
    ):
        open_storage(tmp_path)
    assert file.read_bytes() == before
