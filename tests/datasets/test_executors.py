import os
import signal
import threading
import time

import pytest

from nmr_platform.datasets import generate, make_executor
from nmr_platform.datasets.generation.executors import (
    DaskExecutor,
    DaskSettings,
    SlurmExecutor,
    SlurmSettings,
    ThreadsExecutor,
    ThreadsSettings,
    parse_executor,
    slurm_cluster,
)
from nmr_platform.datasets.generation.shards import SHARD_SIZE
from nmr_platform.errors import ConfigurationError, DataError
from nmr_platform.progress import no_progress
from tests.datasets.executor_contract import ExecutorContract, n_shards, tasks_of
from tests.datasets.recipes import small_recipe
from tests.datasets.trees import digest_of_tree


class TestThreads(ExecutorContract):
    @pytest.fixture(params=[1, 3])
    def executor(self, request):
        return ThreadsExecutor(request.param)


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster:
        yield cluster


@pytest.mark.slow
class TestDask(ExecutorContract):
    @pytest.fixture
    def executor(self, cluster):
        return make_executor(DaskSettings(kind="dask", address=cluster.scheduler_address))

    def test_a_worker_killed_mid_run_costs_no_bit_and_its_shards_are_made_by_others(self, executor, cluster, tmp_path):
        recipe = small_recipe(n_curves=30 * SHARD_SIZE)
        killed = []

        def kill_one_worker():
            while n_shards(tmp_path) < 3:
                time.sleep(0.005)
            killed.append(next(iter(cluster.workers.values())).process.pid)
            os.kill(killed[0], signal.SIGKILL)

        killer = threading.Thread(target=kill_one_worker)
        killer.start()
        made = generate(recipe, tmp_path / "set.zarr", shard_folder=tmp_path / "shards", executor=executor)
        killer.join()
        assert killed
        plain = {"path": tmp_path / "plain.zarr", "shard_folder": tmp_path / "plain"}
        assert digest_of_tree(made.path) == digest_of_tree(generate(recipe, **plain).path)


@pytest.mark.slow
def test_without_an_address_dask_makes_a_cluster_of_its_own(tmp_path):
    executor = make_executor(parse_executor("{kind: dask, workers: 1}"))
    assert isinstance(executor, DaskExecutor)
    made = generate(small_recipe(), tmp_path / "set.zarr", shard_folder=tmp_path / "shards", executor=executor)
    assert made.n_simulated == 6


@pytest.mark.slow
def test_a_cluster_of_our_own_can_be_reached_from_this_machine_alone(tmp_path):
    executor = make_executor(parse_executor("{kind: dask, workers: 1}"))
    reports = executor.run(tasks_of(small_recipe(), tmp_path), no_progress)
    next(reports)
    assert listeners() == {"127.0.0.1"}
    reports.close()


def listeners():
    """Addresses on which this process and those below it can be reached."""
    psutil = pytest.importorskip("psutil")
    processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
    ends = [end for process in processes for end in process.net_connections("inet") if end.status == "LISTEN"]
    return {end.laddr.ip for end in ends}


def test_a_scheduler_that_does_not_answer_is_named(tmp_path, monkeypatch):
    # Before the setting: the defaults that it brings would go with the setting.
    pytest.importorskip("distributed")
    dask = pytest.importorskip("dask")
    executor = make_executor(DaskSettings(kind="dask", address="tcp://127.0.0.1:9"))
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "200ms"}),
        pytest.raises(DataError, match=r"`executor.address` must be that of a running Dask scheduler, but tcp://127.0"),
    ):
        generate(small_recipe(), tmp_path / "set.zarr", shard_folder=tmp_path / "shards", executor=executor)


def test_the_job_script_asks_the_queue_for_what_the_settings_say():
    settings = SlurmSettings(
        kind="slurm",
        queue="long",
        account="physics",
        jobs=3,
        cores=16,
        processes=4,
        memory="32GB",
        walltime="02:30:00",
        directives=("--exclusive", "--constraint=avx512"),
        prologue=("module load python",),
        python="/opt/python",
        log_directory="logs",
    )
    with slurm_cluster(settings) as cluster:
        script = cluster.job_script().splitlines()
    for line in (
        "#SBATCH -p long",
        "#SBATCH -A physics",
        "#SBATCH --cpus-per-task=16",
        "#SBATCH --mem=30G",
        "#SBATCH -t 02:30:00",
        "#SBATCH --exclusive",
        "#SBATCH --constraint=avx512",
        "module load python",
    ):
        assert line in script
    command = script[-1]
    assert command.startswith("/opt/python -m distributed.cli.dask_worker tcp://")
    assert "--nthreads 4 " in command
    assert "--nworkers 4 " in command


def test_settings_choose_the_executor():
    assert isinstance(make_executor(), ThreadsExecutor)
    assert make_executor(ThreadsSettings(n=3)).n == 3
    assert isinstance(make_executor(parse_executor("{kind: dask, address: 'tcp://host:8786'}")), DaskExecutor)
    assert isinstance(make_executor(parse_executor("{kind: slurm, queue: long}")), SlurmExecutor)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{kind: ray}", "Key `executor.kind` is 'ray', but it must be one of 'threads', 'dask', 'slurm'"),
        ("{kind: threads, n: 0}", "Key `executor.n` is 0, but it must be greater than"),
        ("{kind: slurm, quue: long}", "Key `executor.quue` is not known. Did you mean `queue`"),
        ("{kind: [}", "Argument `executor` must be YAML, for instance {kind: dask, workers: 4}, but '{kind: "),
        ("dask", "Key `executor` is 'dask', but it must hold keys of its own"),
    ],
)
def test_wrong_settings_are_refused_in_a_sentence(text, sentence):
    with pytest.raises(ConfigurationError, match=sentence):
        parse_executor(text)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (None, "there is no command `sbatch` on this machine"),
        ("echo 'sbatch: fatal: Could not establish a configuration source' >&2; exit 1", "Could not establish a"),
        ("exec sleep 60", "`sbatch` does not answer within 0 seconds"),
    ],
)
def test_a_queue_that_takes_no_jobs_is_refused_with_its_own_words(tmp_path, monkeypatch, script, reason):
    monkeypatch.setattr("nmr_platform.datasets.generation.executors._SLURM_SECONDS", 0.3)
    if script is not None:
        (tmp_path / "sbatch").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "sbatch").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin" if script else str(tmp_path))
    executor = make_executor(SlurmSettings(kind="slurm", interface="lo"))
    with pytest.raises(ConfigurationError, match=f"Key `executor` asks for jobs of a SLURM queue.*{reason}"):
        list(executor.run([], lambda _: None))
