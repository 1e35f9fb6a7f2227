"""A database that does not answer is asked again; one that was asked nonsense is not."""

import sqlite3

import optuna
import pytest
from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError, PendingRollbackError

from nmr_platform.studies import STORAGE_VARIABLE, closing_storage, storage
from nmr_platform.studies.storage import is_away, retrying

GONE = OperationalError("SELECT 1", {}, Exception("server closed the connection unexpectedly"))


def wrapped(cause):
    error = StorageInternalError("An exception is raised during the commit.")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "error", [GONE, InterfaceError("", {}, Exception()), PendingRollbackError("gone"), wrapped(GONE)]
)
def test_a_connection_that_is_gone_means_that_the_database_is_away(error):
    assert is_away(error)


@pytest.mark.parametrize("error", [IntegrityError("", {}, Exception("double")), wrapped(ValueError("nonsense"))])
def test_a_refusal_is_no_absence(error):
    assert not is_away(error)


@pytest.fixture
def asked(monkeypatch):
    """Counts questions; the first ones end as the test says."""
    monkeypatch.setattr(storage, "_FIRST_PAUSE", 0.001)
    calls = []

    def question(outcomes):
        def method():
            calls.append(len(calls))
            outcome = outcomes[min(len(calls), len(outcomes)) - 1]
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        return method, calls

    return question


def test_a_question_is_asked_until_it_is_answered(asked):
    question, calls = asked([wrapped(GONE), GONE, "answer"])
    assert retrying(question) == "answer"
    assert len(calls) == 3


def test_nonsense_is_asked_once(asked):
    question, calls = asked([IntegrityError("", {}, Exception("double"))])
    with pytest.raises(IntegrityError, match="double"):
        retrying(question)
    assert len(calls) == 1


def test_waiting_has_an_end(asked, monkeypatch):
    monkeypatch.setattr(storage, "_LONGEST_WAIT", 0.0)
    question, _ = asked([GONE])
    with pytest.raises(OperationalError, match="server closed"):
        retrying(question)


def test_pauses_become_longer_up_to_a_limit_and_end_in_time(asked, monkeypatch):
    question, _ = asked([GONE])
    pauses = []
    monkeypatch.setattr(storage, "_FIRST_PAUSE", 0.1)
    monkeypatch.setattr(storage.time, "monotonic", lambda: sum(pauses))
    monkeypatch.setattr(storage.time, "sleep", pauses.append)
    with pytest.raises(OperationalError, match="server closed"):
        retrying(question)
    assert pauses[:7] == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0])
    assert max(pauses) == 5.0
    assert 590 < sum(pauses) <= 600


def test_a_new_connection_waits_for_a_database_that_is_away(tmp_path, monkeypatch):
    monkeypatch.setattr(storage, "_FIRST_PAUSE", 0.01)
    file = tmp_path / "studies.db"
    monkeypatch.setenv(STORAGE_VARIABLE, f"sqlite:///{file}")
    with closing_storage(tmp_path) as opened:
        optuna.create_study(storage=opened, study_name="kept")
        opened.remove_session()
        opened.engine.dispose()
        tries = []
        connect = opened.engine.dialect.connect

        def counted(*arguments, **options):
            tries.append(arguments)
            if len(tries) < 3:
                raise sqlite3.OperationalError("unable to open database file")
            return connect(*arguments, **options)

        monkeypatch.setattr(opened.engine.dialect, "connect", counted)
        assert optuna.get_all_study_names(opened) == ["kept"]
        assert len(tries) == 3
