"""Workers beside a block: processes, and tasks of a real Dask cluster."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import optuna
import pytest

from nmr_platform.studies import finished_trials, open_storage
from nmr_platform.studies.workers import WorkerError, WorkerWarning, helping_processes, helping_tasks

ROOT = Path(__file__).parents[2]
FAILING = ("-c", "import sys; sys.exit(3)")
PASSING = ("-c", "pass")


@pytest.fixture(scope="module")
def scheduler():
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster:
        yield cluster.scheduler_address


@pytest.mark.slow
def test_tasks_of_a_cluster_share_one_study_and_run_exactly_its_trials(scheduler, tmp_path):
    command = ["-m", "tests.integration.worker", str(tmp_path), "shared", "16", "0.5"]
    with helping_tasks(scheduler, command, 2, {"PYTHONPATH": str(ROOT)}, str(ROOT)):
        pass
    study = optuna.load_study(study_name="shared", storage=open_storage(tmp_path))
    assert len(finished_trials(study)) == 16
    assert len({trial.user_attrs["worker"] for trial in study.trials}) == 2


@pytest.mark.slow
def test_a_task_that_fails_is_told_and_takes_nobody_with_it(scheduler, tmp_path):
    with (
        pytest.warns(WorkerWarning, match="2 of 2 helping workers ended with exit code 3"),
        helping_tasks(scheduler, FAILING, 2, {}, str(tmp_path)),
    ):
        done = True
    assert done


@pytest.mark.slow
def test_a_worker_without_the_folder_is_told_with_its_name(scheduler, tmp_path):
    absent = tmp_path / "absent"
    with (
        pytest.warns(WorkerWarning, match=f"1 of 1 helping workers found no folder `{absent}` on .*; the trials were"),
        helping_tasks(scheduler, PASSING, 1, {}, str(absent)),
    ):
        pass


@pytest.mark.slow
def test_a_task_whose_worker_is_gone_is_not_waited_for(monkeypatch, tmp_path):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr("nmr_platform.studies.workers._UNCLAIMED_SECONDS", 0.5)
    command = ("-c", f"import time; open('{tmp_path}/begun', 'w').close(); time.sleep(600)")
    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster,
        pytest.warns(WorkerWarning, match="1 of 1 helping workers were lost with their Dask worker"),
        helping_tasks(cluster.scheduler_address, command, 1, {}, str(tmp_path)),
    ):
        wait_for((tmp_path / "begun").exists)
        cluster.scale(0)


ASKING = """
import sys, time
from nmr_platform.studies.workers import helping_processes, helping_tasks
address, folder = sys.argv[1:]
sleeping = ["-c", f"import os, time; open('{folder}/pid', 'w').write(str(os.getpid()) + '.'); time.sleep(600)"]
helping = helping_tasks(address, sleeping, 1, {}, folder) if address else helping_processes(sleeping, 1)
with helping:
    time.sleep(600)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "where"),
    [(signal.SIGKILL, "here"), (signal.SIGTERM, "here"), (signal.SIGHUP, "here"), (signal.SIGKILL, "on the cluster")],
)
def test_helpers_end_with_whoever_asked_for_them(scheduler, tmp_path, number, where):
    address = "" if where == "here" else scheduler
    asking = subprocess.Popen([sys.executable, "-c", ASKING, address, str(tmp_path)], cwd=ROOT)
    pid = tmp_path / "pid"
    wait_for(lambda: pid.exists() and pid.read_text().endswith("."))
    assert lives(int(pid.read_text()[:-1]))
    asking.send_signal(number)
    assert asking.wait(60) == -number
    wait_for(lambda: not lives(int(pid.read_text()[:-1])))


def lives(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_for(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_scheduler_that_is_not_there_is_named(tmp_path):
    pytest.importorskip("distributed")
    dask = pytest.importorskip("dask")
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "200ms"}),
        pytest.raises(WorkerError, match=r"`scheduler` must be the address of a running Dask scheduler, but tcp://127"),
        helping_tasks("tcp://127.0.0.1:9", PASSING, 1, {}, str(tmp_path)),
    ):
        pass


def test_a_process_that_fails_is_told_and_one_that_does_not_is_not():
    with helping_processes(PASSING, 2):
        pass
    with (
        pytest.warns(WorkerWarning, match="1 of 1 helping workers ended with exit code 3"),
        helping_processes(FAILING, 1),
    ):
        pass


def test_processes_end_with_the_block_that_failed():
    with (
        pytest.raises(RuntimeError, match="stop"),
        helping_processes(("-c", "import time; time.sleep(600)"), 1) as processes,
    ):
        message = "stop"
        raise RuntimeError(message)
    assert processes[0].returncode != 0
    assert sys.executable in processes[0].args
