"""Studies on PostgreSQL and an MLflow server, while things go wrong: every finished trial is there once."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from nmr_platform.stages.sync import sync_tracking
from nmr_platform.stages.tune import read_tuned
from nmr_platform.studies import best_trial, finished_trials, load_studies
from nmr_platform.tracking.address import resolve_store
from nmr_platform.tracking.mlflow.store import open_client
from nmr_platform.workspace import Workspace
from tests.integration.services import MlflowServer, storage_of
from tests.integration.worker import work
from tests.stages.tiny import copied, merged, tiny_values, write_params

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[2]
PATIENCE = 300.0


def start(folder, name, total, seconds, kind="none"):
    command = [sys.executable, "-m", "tests.integration.worker", str(folder), name, str(total), str(seconds), kind]
    return subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, text=True
    )


def finish(*workers):
    said = [worker.communicate(timeout=PATIENCE)[1] for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * len(workers), said
    return said


def study_of(folder, name):
    return optuna.load_study(study_name=name, storage=storage_of(folder, os.environ["NMR_STUDY_STORAGE"]))


def wait_for(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def finished_in(folder, name):
    names = optuna.get_all_study_names(storage_of(folder, os.environ["NMR_STUDY_STORAGE"]))
    return len(finished_trials(study_of(folder, name))) if name in names else 0


def shown(server, name, *, whole=True):
    """How often each trial number is among the children of the only parent of this name, and the parent.

    ``whole``: there is nothing left to be sent, so that every child is finished.
    """
    client = open_client(resolve_store(server.uri))
    found = client.get_experiment_by_name("sleeping")
    (parent,) = client.search_runs([found.experiment_id], f"tags.`nmr.run` = '{name}'")
    children = client.search_runs([found.experiment_id], f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'")
    assert not whole or {child.info.status for child in children} <= {"FINISHED"}
    return Counter(int(child.data.tags["optuna.trial"]) for child in children), parent


def require_whole(folder, name, total):
    """Every finished trial once, none running, and the best value that of the best point."""
    study = study_of(folder, name)
    finished = finished_trials(study)
    assert len(finished) == total
    # Under Optuna's own numbers: no attempt is made again twice, and none that finished is.
    done = study.get_trials(states=(TrialState.COMPLETE,))
    again = [trial.system_attrs["failed_trial"] for trial in done if "failed_trial" in trial.system_attrs]
    assert len(set(again)) == len(again)
    assert not set(again) & {trial.number for trial in done}
    assert not [trial for trial in study.trials if trial.state in {TrialState.RUNNING}]
    assert best_trial(study).value == max(-(trial.params["x"] ** 2) for trial in finished)
    return Counter({trial.number: 1 for trial in finished})


def test_four_processes_share_one_study_and_run_exactly_its_trials(tmp_path, database, tracked):
    finish(*(start(tmp_path, "four", 24, 0.2, "mlflow") for _ in range(4)))
    trials = require_whole(tmp_path, "four", 24)
    found, parent = shown(tracked, "four")
    assert found == trials
    assert (parent.info.status, parent.data.metrics["n_trials"]) == ("FINISHED", 24.0)
    assert len({trial.params["x"] for trial in finished_trials(study_of(tmp_path, "four"))}) == 24
    owners = {trial.user_attrs["worker"] for trial in study_of(tmp_path, "four").trials}
    assert len(owners) > 1


def test_the_trial_of_a_worker_killed_with_9_is_run_again_by_another(tmp_path, database, tracked):
    doomed = start(tmp_path, "killed", 8, 1.0, "mlflow")
    wait_for(lambda: finished_in(tmp_path, "killed") >= 2)
    survivor = start(tmp_path, "killed", 8, 0.2, "mlflow")
    doomed.send_signal(signal.SIGKILL)
    doomed.communicate()
    finish(survivor)
    trials = require_whole(tmp_path, "killed", 8)
    lost = [trial for trial in study_of(tmp_path, "killed").trials if trial.state is TrialState.FAIL]
    tried_again = {trial.params["x"] for trial in finished_trials(study_of(tmp_path, "killed"))}
    assert {trial.params["x"] for trial in lost if trial.params} <= tried_again
    assert shown(tracked, "killed")[0] == trials


def test_a_study_outlives_its_mlflow_server_with_one_warning_and_sync_completes_the_rest(tmp_path, database, tracked):
    worker = start(tmp_path, "away", 12, 0.5, "mlflow")
    wait_for(lambda: finished_in(tmp_path, "away") >= 2)
    tracked.kill()
    try:
        (said,) = finish(worker)
    finally:
        tracked.start()
    assert said.count("Warning") == 1, said
    assert "`nmr track sync`" in said
    trials = require_whole(tmp_path, "away", 12)
    assert shown(tracked, "away", whole=False)[0].keys() < trials.keys()
    for _ in range(2):
        sync_tracking(Workspace(tmp_path))
        found, parent = shown(tracked, "away")
        assert found == trials
        assert (parent.info.status, parent.data.metrics["n_trials"]) == ("FINISHED", 12.0)
    client = open_client(resolve_store(tracked.uri))
    assert len(client.get_metric_history(parent.info.run_id, "best_so_far")) == 12
    assert {item.path for item in client.list_artifacts(parent.info.run_id, "study")} >= {"study/history.png"}


def test_a_study_without_its_server_warns_once_and_is_shown_later(tmp_path, database, tracked):
    tracked.kill()
    try:
        (said,) = finish(start(tmp_path, "later", 3, 0.1, "mlflow"))
    finally:
        tracked.start()
    assert "does not answer" in said
    assert said.count("`nmr track sync`") == said.count("Warning") == 1, said
    assert sync_tracking(Workspace(tmp_path)).trials == 3
    found, parent = shown(tracked, "later")
    assert found == require_whole(tmp_path, "later", 3)
    assert parent.data.metrics["n_trials"] == 3.0


def test_workers_wait_for_a_postgresql_that_restarts_again_and_again(tmp_path, postgres, database):
    workers = [start(tmp_path, "restart", 40, 0.1) for _ in range(2)]
    wait_for(lambda: finished_in(tmp_path, "restart") >= 3)
    for pause in (2.0, 0.3, 0.3):
        postgres.stop()
        time.sleep(pause)
        postgres.start()
        time.sleep(1.0)
    finish(*workers)
    require_whole(tmp_path, "restart", 40)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of a megabyte, which is full after a megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"a file system cannot be mounted here ({done.stderr.strip()})")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def fill(disk):
    """Write until nothing more fits."""
    with pytest.raises(OSError, match="No space left"), (disk / "filler").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def test_a_full_artifact_store_stops_neither_trials_nor_numbers(tmp_path, small_disk, postgres, database, monkeypatch):
    from nmr_platform.tracking import TrackingWarning

    (small_disk / "artifacts").mkdir()
    fill(small_disk)
    server = MlflowServer(postgres.database("mlflow_full"), small_disk / "artifacts", tmp_path / "log")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.uri)
    try:
        with pytest.warns(TrackingWarning, match=r"The rest is recorded; `nmr track sync` shows what is missing"):
            work(tmp_path, "full", 3, 0.0, "mlflow")
        found, parent = shown(server, "full")
        assert found == require_whole(tmp_path, "full", 3)
        assert parent.data.metrics["n_trials"] == 3.0
        assert not list(small_disk.rglob("history.png"))
        (small_disk / "filler").unlink()
        sync_tracking(Workspace(tmp_path))
        assert [path.stat().st_size > 0 for path in small_disk.rglob("history.png")] == [True]
        assert shown(server, "full")[0] == require_whole(tmp_path, "full", 3)
    finally:
        server.kill()


def test_two_commands_started_at_once_tune_the_study_together(project, tmp_path, database, tracked):
    folder = copied(project, tmp_path / "project", journal=False)
    write_params(folder, merged(tiny_values(), {"tune": {"n_trials": 8, "families": ["xgboost"], "pruner": "none"}}))
    command = [sys.executable, "-m", "nmr_platform", "tune", "--task", "W", "--params", str(folder / "params.yaml")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    finish(*(subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) for _ in range(2)))
    (study,) = load_studies(storage_of(Workspace(folder).studies, database))
    finished = finished_trials(study)
    assert len(finished) == 8
    assert not [trial for trial in study.trials if trial.state is TrialState.RUNNING]
    assert read_tuned(Workspace(folder), "W").champion.cv_mean == max(trial.value for trial in finished)
    client = open_client(resolve_store(tracked.uri))
    found = client.get_experiment_by_name("W").experiment_id
    (parent,) = client.search_runs([found], f"tags.`nmr.run` = '{study.study_name.partition('/')[2]}'")
    children = client.search_runs([found], f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'")
    assert Counter(int(child.data.tags["optuna.trial"]) for child in children) == Counter(
        trial.number for trial in finished
    )


def test_mlflow_is_rebuilt_from_the_studies_alone(tmp_path, database, mlflow_server, monkeypatch):
    from nmr_platform.tracking.address import resolve_store

    finish(start(tmp_path, "rebuilt", 5, 0.0))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_server.uri)
    for _ in range(2):
        assert sync_tracking(Workspace(tmp_path)).trials == 5
    found, parent = shown(mlflow_server, "rebuilt")
    assert found == require_whole(tmp_path, "rebuilt", 5)
    assert parent.data.metrics["best_score"] == best_trial(study_of(tmp_path, "rebuilt")).value
    assert str(resolve_store()) == mlflow_server.uri


def test_no_password_is_written_anywhere(tmp_path, database, postgres, tracked):
    assert "pa55w0rd" in database
    finish(start(tmp_path, "secret", 2, 0.0, "mlflow"))
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in written if b"pa55w0rd" in path.read_bytes()]
    client = open_client(resolve_store(tracked.uri))
    found = client.get_experiment_by_name("sleeping")
    assert "pa55w0rd" not in str([run.to_dictionary() for run in client.search_runs([found.experiment_id])])
