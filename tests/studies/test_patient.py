"""A database that does not answer is asked again; one that was asked nonsense is not."""

import pytest
from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError, PendingRollbackError

from nmr_platform.studies import patient
from nmr_platform.studies.patient import PatientStorage, is_away

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
    monkeypatch.setattr(patient, "_FIRST_PAUSE", 0.001)
    calls = []

    def question(outcomes):
        def method(*_):
            calls.append(len(calls))
            outcome = outcomes[min(len(calls), len(outcomes)) - 1]
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        return patient._patient(method), calls

    return question


def test_a_question_is_asked_until_it_is_answered(asked):
    question, calls = asked([wrapped(GONE), GONE, "answer"])
    assert question(None) == "answer"
    assert len(calls) == 3


def test_nonsense_is_asked_once(asked):
    question, calls = asked([IntegrityError("", {}, Exception("double"))])
    with pytest.raises(IntegrityError, match="double"):
        question(None)
    assert len(calls) == 1


def test_patience_has_an_end(asked, monkeypatch):
    monkeypatch.setattr(patient, "PATIENCE_SECONDS", 0.0)
    question, _ = asked([GONE])
    with pytest.raises(OperationalError, match="server closed"):
        question(None)


def test_a_score_whose_receipt_was_lost_is_told_once(tmp_path):
    import optuna

    storage = PatientStorage(f"sqlite:///{tmp_path / 'studies.db'}")
    study = optuna.create_study(storage=storage, direction="maximize")
    trial = study.ask()
    study.tell(trial, 0.5)
    assert storage.set_trial_state_values(trial._trial_id, optuna.trial.TrialState.COMPLETE, [0.5])
    with pytest.raises(optuna.exceptions.UpdateFinishedTrialError):
        storage.set_trial_state_values(trial._trial_id, optuna.trial.TrialState.COMPLETE, [0.7])
