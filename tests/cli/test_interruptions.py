"""A command that is killed or interrupted continues where it stopped."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter

import optuna
import pytest
from optuna.trial import TrialState

from nmr_platform.stages.tune import read_tuned
from nmr_platform.studies import open_storage
from nmr_platform.workspace import Workspace
from tests.databases import copy_database
from tests.stages.tiny import ROOT, copied, isolate, merged, nmr, tiny_values, write_params

PATIENCE = 180
TRIALS = 5
SLOW = {
    # About a tenth of a second a trial, so that there is one in progress when the signal comes.
    "tune": {"n_trials": TRIALS, "families": ["random_forest"], "n_estimators": 100},
    "pulse_search": {"n_trials": TRIALS, "objective": {"estimator": "trees", "n_estimators": 50}},
}


@pytest.fixture
def slow(project, tmp_path, monkeypatch):
    """A copy of the project whose searches take a second or two and have not begun."""
    isolate(monkeypatch, tmp_path)
    folder = copied(project, tmp_path / "project", journal=False)
    write_params(folder, merged(tiny_values(), SLOW))
    return folder


def started(folder, *arguments):
    command = [sys.executable, "-m", "nmr_platform", *arguments, "--params", str(folder / "params.yaml")]
    # A shell that puts the tests into the background makes them, and their children, deaf to Ctrl-C.
    deaf = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        # Its own session: pytest must not hear of the signals.
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "NO_COLOR": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
    finally:
        signal.signal(signal.SIGINT, deaf)


def trials(folder):
    storage = open_storage(Workspace(folder).studies)
    (name,) = optuna.get_all_study_names(storage)
    return optuna.load_study(study_name=name, storage=storage).trials


def finished(folder):
    return [trial for trial in trials(folder) if trial.state is TrialState.COMPLETE]


def signalled(folder, number, *arguments):
    """Send a signal to a search in its second trial; return the process, the finished trials and what it said."""
    process = started(folder, *arguments)
    journal = Workspace(folder).studies / "studies.journal"
    deadline = time.monotonic() + PATIENCE
    while not (journal.exists() and journal.read_bytes().count(b'"state":1') >= 1):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(number)
    said = process.communicate(timeout=PATIENCE)
    return process.returncode, finished(folder), said


def of(trial):
    return trial.number, trial.params, trial.value


def test_a_killed_tuning_keeps_its_finished_trials_and_doubles_none(slow, migrated_database, tmp_path):
    copy_database(migrated_database, tmp_path / "mlflow.db")
    before = (slow / "results" / "tune" / "W.json").read_bytes()
    code, kept, _ = signalled(slow, signal.SIGKILL, "tune", "--task", "W")
    assert code == -signal.SIGKILL
    assert 1 <= len(kept) < TRIALS
    assert (slow / "results" / "tune" / "W.json").read_bytes() == before

    assert nmr(slow, "tune", "--task", "W").code == 0
    after = finished(slow)
    assert [of(trial) for trial in after[: len(kept)]] == [of(trial) for trial in kept]
    assert len(after) == TRIALS
    assert not [trial for trial in trials(slow) if trial.state is TrialState.RUNNING]
    (study,) = read_tuned(Workspace(slow), "W").studies
    assert (study.n_trials, study.n_failed) == (TRIALS, 0)
    recorded = recorded_trials(tmp_path, "W")
    assert recorded == Counter(range(TRIALS)), "numbers of the plan, which does not count attempts"
    assert study.best_trial < TRIALS


def recorded_trials(folder, experiment):
    """How often each trial number is a child in MLflow."""
    from nmr_platform.tracking.address import resolve_store
    from nmr_platform.tracking.mlflow.store import open_client

    client = open_client(resolve_store(f"sqlite:///{folder / 'mlflow.db'}", folder))
    found = client.get_experiment_by_name(experiment)
    runs = client.search_runs([found.experiment_id], "tags.`mlflow.parentRunId` != ''")
    return Counter(int(run.data.tags["optuna.trial"]) for run in runs)


def test_a_killed_pulse_search_ends_as_if_it_had_not_been_killed(slow, project, tmp_path):
    quiet = ("optimise-pulses", "--tracker", "none")
    code, kept, _ = signalled(slow, signal.SIGKILL, *quiet)
    assert code == -signal.SIGKILL
    assert 1 <= len(kept) < TRIALS
    assert nmr(slow, *quiet).code == 0
    after = finished(slow)
    assert [of(trial) for trial in after[: len(kept)]] == [of(trial) for trial in kept]
    assert len(after) == TRIALS

    whole = copied(project, tmp_path / "whole", journal=False)
    write_params(whole, merged(tiny_values(), SLOW))
    assert nmr(whole, *quiet).code == 0
    assert [of(trial)[1:] for trial in finished(whole)] == [of(trial)[1:] for trial in after]
    for name in ("history.csv", "summary.json", "best.yaml"):
        assert (Workspace(whole).pulses / name).read_bytes() == (Workspace(slow).pulses / name).read_bytes()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_with_one_sentence_and_the_same_command_continues(slow, number):
    quiet = ("tune", "--task", "W", "--tracker", "none")
    code, kept, (out, err) = signalled(slow, number, *quiet)
    assert (code, out) == (128 + number, ""), err
    assert err.splitlines()[-1] == "Interrupted; the same command continues where this one stopped."
    assert "Traceback" not in err
    assert "Aborted" not in err

    assert nmr(slow, *quiet).code == 0
    assert not [trial for trial in trials(slow) if trial.state is TrialState.RUNNING]
    after = finished(slow)
    assert [of(trial) for trial in after[: len(kept)]] == [of(trial) for trial in kept]
    assert len(after) == TRIALS
