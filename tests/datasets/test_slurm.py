import os
import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import pytest

from nmr_platform.datasets import generate, make_executor
from nmr_platform.datasets.generation.executors import SlurmSettings
from nmr_platform.datasets.generation.shards import SHARD_SIZE
from tests.datasets.executor_contract import ExecutorContract, n_shards
from tests.datasets.recipes import small_recipe
from tests.datasets.slurm_node import DAEMONS, one_node_slurm
from tests.datasets.trees import digest_of_tree

ROOT = Path(__file__).parents[2]
MISSING = [name for name in DAEMONS if shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin") is None]

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(bool(MISSING), reason=f"SLURM is not installed: {', '.join(MISSING)} (slurm-wlm, munge)"),
]


@pytest.fixture(scope="module")
def slurm():
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))
    with pytest.MonkeyPatch.context() as patch, one_node_slurm(folder) as conf:
        patch.setenv("SLURM_CONF", str(conf))
        patch.setenv("PYTHONPATH", str(ROOT))
        yield folder
    shutil.rmtree(folder)


@pytest.fixture
def settings(slurm):
    return SlurmSettings(
        kind="slurm", queue="main", cores=1, memory="1GB", jobs=1, log_directory=str(slurm), walltime="00:10:00"
    )


class TestSlurm(ExecutorContract):
    @pytest.fixture
    def executor(self, settings):
        return make_executor(settings)


def test_a_job_that_the_queue_ends_is_replaced_and_costs_no_bit(settings, slurm, tmp_path):
    recipe = small_recipe(n_curves=40 * SHARD_SIZE)
    cancelled = []

    def cancel_the_first_job():
        while n_shards(tmp_path) < 3:
            time.sleep(0.01)
        cancelled.extend(queue())
        subprocess.run(["scancel", *cancelled], check=True)

    canceller = threading.Thread(target=cancel_the_first_job)
    canceller.start()
    paths = {"path": tmp_path / "set.zarr", "shard_folder": tmp_path / "shards"}
    made = generate(recipe, **paths, executor=make_executor(settings))
    canceller.join()
    assert len(cancelled) == 1
    assert len(list(slurm.glob("dask-worker-*.out"))) >= 2
    plain = {"path": tmp_path / "plain.zarr", "shard_folder": tmp_path / "plain"}
    assert digest_of_tree(made.path) == digest_of_tree(generate(recipe, **plain).path)
    assert queue() == []


def queue():
    """Numbers of the jobs that wait or run."""
    command = ["squeue", "--noheader", "--states=R,PD", "--format=%i"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
