"""The tracker that never makes a trial fail, against a store that can be switched off."""

import pickle
import threading
import time

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from nmr_platform.errors import StoreAwayError, TrackingError
from nmr_platform.tracking import ModelEntry, TrialEntry, make_tracker
from nmr_platform.tracking.mlflow.spool import Spool, adopt_spools
from nmr_platform.tracking.mlflow.spooling import SpoolingTracker, TrackingWarning
from tests.tracking.contract import STUDY, TrackerContract, finished, linear_model
from tests.tracking.test_mlflow_tracker import artifact, children

PATIENCE = 60.0


class TestSpoolingTracker(TrackerContract):
    """The whole contract, through the disk."""

    @pytest.fixture
    def tracker(self, root):
        return make_tracker("mlflow", root=root)


class Switch:
    """A store that can be switched off, as if its server had gone."""

    def __init__(self, inner):
        self._inner = inner
        self.on = True
        self.calls = 0

    def is_there(self):
        return self.on

    def __getattr__(self, name):
        found = getattr(self._inner, name)
        if not callable(found):
            return found

        def call(*args, **kwargs):
            self.calls += 1
            if not self.on:
                message = "The tracking store is away."
                raise StoreAwayError(message)
            return found(*args, **kwargs)

        return call


@pytest.fixture
def switch(tracker):
    return Switch(tracker)


@pytest.fixture
def spooling(switch, tmp_path, monkeypatch):
    monkeypatch.setattr("nmr_platform.tracking.mlflow.spooling._FIRST_PAUSE", 0.05)
    monkeypatch.setattr("nmr_platform.tracking.mlflow.spooling._LONGEST_PAUSE", 0.1)
    return SpoolingTracker(switch, tmp_path / "spool")


def wait_until_empty(spooling):
    deadline = time.monotonic() + PATIENCE
    while len(spooling._spool):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def numbers(client, run_id):
    return [int(child.data.tags["optuna.trial"]) for child in children(client, run_id)]


def test_what_was_recorded_while_the_store_was_away_arrives_once_and_in_order(spooling, switch, client):
    run_id = spooling.open_run(STUDY)
    spooling.log_trial(run_id, finished(0))
    spooling.flush()
    switch.on = False
    for number in (1, 2):
        spooling.log_trial(run_id, finished(number))
    spooling.log_metrics(run_id, {"best_r2": np.float64(0.2)})
    with pytest.warns(TrackingWarning, match=r"is away\. \d+ messages wait in .*`nmr track sync`, sends them"):
        spooling.close_run(run_id)
    assert numbers(client, run_id) == [0]
    switch.on = True
    wait_until_empty(spooling)
    assert numbers(client, run_id) == [0, 1, 2]
    assert client.get_run(run_id).data.metrics == {"best_r2": 0.2}
    assert client.get_run(run_id).info.status == "FINISHED"


def test_a_study_can_begin_without_a_store(spooling, switch, client, tracker):
    switch.on = False
    name = spooling.open_run(STUDY)
    spooling.log_trial(name, finished(0))
    with pytest.warns(TrackingWarning, match="messages wait"):
        spooling.close_run(name)
    switch.on = True
    wait_until_empty(spooling)
    assert numbers(client, tracker.open_run(STUDY)) == [0]


def test_the_next_process_sends_what_a_killed_one_left(switch, client, tracker, tmp_path):
    run_id = tracker.open_run(STUDY)
    left = Spool(tmp_path / "spool", "host-1-dead")
    left.put("log_metrics", run_id, {"best_r2": 0.5})
    left._lock.release()  # as the system does for a process that dies
    assert SpoolingTracker(switch, tmp_path / "spool").send_left() == 1
    assert client.get_run(run_id).data.metrics == {"best_r2": 0.5}
    assert not left.folder.exists()


def test_the_spool_of_a_process_that_lives_is_left_alone(tmp_path):
    living = Spool(tmp_path, "host-1-alive")
    living.put("log_metrics", "0", {})
    assert list(adopt_spools(tmp_path)) == []
    assert len(living) == 1


def test_what_the_store_refuses_is_kept_and_what_follows_is_sent(spooling, client):
    run_id = spooling.open_run(STUDY)
    spooling.log_trial(run_id, TrialEntry(0, {}, {}, 1.0, 2.0, state="lost"))
    spooling.log_trial(run_id, finished(1))
    with pytest.warns(TrackingWarning, match=r"did not take everything; it is kept in .*log_trial: .*but is 'lost'"):
        spooling.close_run(run_id)
    assert numbers(client, run_id) == [1]
    assert len(list(spooling.home.glob("*/aside/*"))) == 1


def test_a_call_returns_before_the_store_has_answered(spooling, switch):
    run_id = spooling.open_run(STUDY)
    gate = threading.Event()
    switch._inner.log_metrics, sent = (lambda *_: gate.wait(PATIENCE)), switch.calls
    spooling.log_metrics(run_id, {"a": 1.0})
    assert len(spooling._spool) == 1
    gate.set()
    wait_until_empty(spooling)
    assert switch.calls > sent


def test_figures_tables_and_models_wait_on_disk_too(spooling, switch, client, tracker):
    model, example = linear_model(slope=3.0)
    run_id = tracker.open_run(STUDY)
    switch.on = False
    figure = Figure(figsize=(2, 1))
    figure.subplots().plot([0, 1])
    spooling.log_figure(run_id, "figures/line.png", figure)
    spooling.log_table(run_id, "tables/a.csv", pd.DataFrame({"a": [1, 2]}))
    spooling.log_dict(run_id, "a.json", {"at": "s3://ada:pa55@b"})
    with pytest.warns(TrackingWarning, match="messages wait"):
        address = spooling.log_model(run_id, ModelEntry(model, example, "nmr-w", 0.5, "test_r2"))
    assert address.startswith("spooled:/")
    assert not [path for path in spooling.home.rglob("record.json") if "pa55" in path.read_text()]
    switch.on = True
    wait_until_empty(spooling)
    assert artifact(client, run_id, "figures/line.png").read_bytes().startswith(b"\x89PNG")
    assert artifact(client, run_id, "tables/a.csv").read_text() == "a\n1\n2\n"
    assert client.get_model_version_by_alias("nmr-w", "champion").run_id == run_id


def test_a_disk_that_takes_nothing_is_a_warning_and_no_error(spooling, monkeypatch):
    run_id = spooling.open_run(STUDY)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(spooling._spool, "put", full)
    with pytest.warns(TrackingWarning, match="`log_trial` of run .* is lost, for it cannot be kept: .*No space left"):
        spooling.log_trial(run_id, finished(0))


def test_children_that_two_processes_sent_are_one_after_closing(root, tracker, client):
    from nmr_platform.tracking.mlflow.tracker import MlflowTracker

    run_id = tracker.open_run(STUDY)
    others = [MlflowTracker(root=root) for _ in range(2)]
    for sender in others:
        sender.open_run(STUDY)
    for sender in (tracker, *others):
        sender._opened[1]._known_children(run_id)  # before any of the others has sent it
    for sender in (tracker, *others):
        sender.log_trial(run_id, finished(0))
    assert len(children(client, run_id)) == 3
    tracker.close_run(run_id)
    assert numbers(client, run_id) == [0]


def test_the_part_that_is_held_out_is_an_input_of_its_own(tracker, client):
    from dataclasses import replace

    run_id = tracker.open_run(STUDY)
    tracker.open_run(replace(STUDY, datasets=[replace(item, context="test") for item in STUDY.datasets]))
    given = {
        item.dataset.name: [tag.value for tag in item.tags] for item in client.get_run(run_id).inputs.dataset_inputs
    }
    assert given == {"gaussian": ["training"], "gaussian (test)": ["test"]}
    assert client.get_run(run_id).data.tags["data.gaussian"] == STUDY.datasets[0].digest


def test_it_can_be_sent_to_another_process_with_its_folder(root):
    tracker = make_tracker("mlflow", root=root)
    assert pickle.loads(pickle.dumps(tracker)).home == tracker.home


def test_an_error_that_time_does_not_heal_is_no_absence(tracker):
    with pytest.raises(TrackingError, match="not found") as caught:
        tracker.log_metrics("0" * 32, {"r2": 1.0})
    assert not isinstance(caught.value, StoreAwayError)
