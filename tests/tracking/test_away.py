"""A command goes on without its store: one warning, no more questions, and `nmr track sync` is named."""

import socket
import time
import warnings
from contextlib import closing

import pytest

from nmr_platform.errors import StoreAwayError, TrackingError
from nmr_platform.tracking import RunEntry, TrackingWarning, TrialEntry, make_tracker
from nmr_platform.tracking.mlflow import MlflowTracker
from tests.tracking.contract import STUDY, TrackerContract, finished, linear_model
from tests.tracking.test_mlflow_tracker import artifact, children


class TestForgivingTracker(TrackerContract):
    """The whole contract, as commands make their tracker."""

    @pytest.fixture
    def tracker(self, root):
        return make_tracker("mlflow", root=root)


class TestTrackerWithoutItsStore(TrackerContract):
    """The whole contract while nothing answers."""

    @pytest.fixture
    def tracker(self, tmp_path):
        tracker = make_tracker("mlflow", root=tmp_path, tracking_uri="http://127.0.0.1:9")
        with pytest.warns(TrackingWarning, match="does not answer"):
            tracker.open_run(STUDY)
        yield tracker

    @pytest.fixture(autouse=True)
    def _quiet(self):
        with warnings.catch_warnings():
            # A copy in another process has not warned yet.
            warnings.simplefilter("ignore", TrackingWarning)
            yield


@pytest.fixture
def forgiving(root):
    return MlflowTracker(root=root, strict=False)


@pytest.fixture
def switch(forgiving, monkeypatch):
    """Turn the store of `forgiving` off, as if its server had gone; return the calls it has got since."""
    asked = []

    def away(address):
        message = "The tracking store is away."
        raise StoreAwayError(message)

    class Gone:
        def __getattr__(self, name):
            def fail(*_, **__):
                asked.append(name)
                away(None)

            return fail

    def turn_off():
        monkeypatch.setattr("nmr_platform.tracking.mlflow.tracker.require_contact", away)
        forgiving.__dict__["_opened"] = (Gone(), Gone())
        return asked

    return turn_off


def numbers(client, run_id):
    return [int(child.data.tags["optuna.trial"]) for child in children(client, run_id)]


def test_a_store_that_goes_away_is_one_warning_and_not_asked_again(forgiving, switch, client, tmp_path):
    run_id = forgiving.open_run(STUDY)
    forgiving.log_trial(run_id, finished(0))
    asked = switch()
    with pytest.warns(TrackingWarning, match=r"is away\. This command goes on without it; `nmr track sync` shows"):
        forgiving.log_trial(run_id, finished(1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        forgiving.log_trial(run_id, finished(2))
        forgiving.log_metrics(run_id, {"best_r2": 0.2})
        forgiving.log_files(run_id, tmp_path)
        assert forgiving.log_model(run_id, linear_model(tmp_path))
        assert forgiving.open_run(RunEntry("regression", "another"))
        forgiving.close_run(run_id)
    assert asked == ["log_trial"]
    assert numbers(client, run_id) == [0]
    assert client.get_run(run_id).info.status == "RUNNING"


def test_a_study_that_lost_its_store_is_completed_by_saying_it_again(root, forgiving, switch, client):
    run_id = forgiving.open_run(STUDY)
    forgiving.log_trial(run_id, finished(0))
    switch()
    with pytest.warns(TrackingWarning):
        forgiving.log_trial(run_id, finished(1))
    again = MlflowTracker(root=root)
    assert again.open_run(STUDY) == run_id
    for number in range(2):
        again.log_trial(run_id, finished(number))
    again.close_run(run_id)
    assert numbers(client, run_id) == [0, 1]
    assert client.get_run(run_id).info.status == "FINISHED"


def test_a_store_that_is_away_at_the_start_costs_one_question(tmp_path):
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        tracker = make_tracker("mlflow", root=tmp_path, tracking_uri=f"http://127.0.0.1:{taken.getsockname()[1]}")
        with pytest.warns(TrackingWarning, match=r"does not answer.*`nmr track sync`") as said:
            run_id = tracker.open_run(STUDY)
        began = time.perf_counter()
        for number in range(50):
            tracker.log_trial(run_id, finished(number))
        tracker.close_run(run_id)
    assert len(said) == 1
    assert time.perf_counter() - began < 1.0


def test_what_the_store_refuses_is_a_warning_and_what_follows_is_recorded(forgiving, client):
    run_id = forgiving.open_run(STUDY)
    with pytest.warns(TrackingWarning, match=r"but is 'lost'\. The rest is recorded; `nmr track sync` shows"):
        forgiving.log_trial(run_id, TrialEntry(0, {}, {}, 1.0, 2.0, state="lost"))
    forgiving.log_trial(run_id, finished(1))
    assert numbers(client, run_id) == [1]


def test_a_store_that_refuses_again_and_again_is_given_up(forgiving, client, tmp_path):
    run_id = forgiving.open_run(STUDY)
    with pytest.warns(TrackingWarning) as said:
        for number in range(4):
            forgiving.log_trial(run_id, TrialEntry(number, {}, {}, 1.0, 2.0, state="lost"))
    assert len(said) == 1
    assert forgiving.is_lost
    forgiving.log_trial(run_id, finished(1))
    assert numbers(client, run_id) == []


def test_files_that_do_not_fit_stop_no_numbers(forgiving, client, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    run_id = forgiving.open_run(STUDY)
    (tmp_path / "a.txt").write_text("a note")
    with monkeypatch.context() as patch, pytest.warns(TrackingWarning, match="No space left on device"):
        patch.setattr("mlflow.MlflowClient.log_artifacts", full)
        forgiving.log_files(run_id, tmp_path / "a.txt")
    forgiving.log_metrics(run_id, {"after": 1.0})
    assert client.get_run(run_id).data.metrics == {"after": 1.0}
    forgiving.log_files(run_id, tmp_path / "a.txt")
    assert artifact(client, run_id, "a.txt").read_text() == "a note"


def test_a_store_that_cannot_be_used_at_all_is_an_error_at_once(tmp_path):
    (tmp_path / "mlflow.db").write_text("not a database, but long enough to be taken for a damaged one " * 20)
    with pytest.raises(TrackingError, match="file is not a database"):
        make_tracker("mlflow", root=tmp_path).open_run(STUDY)


def test_an_error_that_time_does_not_heal_is_no_absence(tracker):
    with pytest.raises(TrackingError, match="not found") as caught:
        tracker.log_metrics("0" * 32, {"r2": 1.0})
    assert not isinstance(caught.value, StoreAwayError)


def test_a_database_that_cannot_be_made_is_gone_on_without(tmp_path, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("nmr_platform.tracking.mlflow.store._initialize_tables", full)
    tracker = MlflowTracker(root=tmp_path, strict=False)
    with pytest.warns(TrackingWarning, match=r"There is no room .* This command goes on without it"):
        tracker.open_run(STUDY)
    assert tracker.is_lost
