"""Runs that end too early: killed, or without room on the disk. Real processes, real signals, real limits."""

import os
import resource
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from nmr_platform.datasets import generate
from nmr_platform.datasets.generation.shards import SHARD_SIZE
from nmr_platform.errors import DataError
from tests.datasets.executor_contract import n_shards
from tests.datasets.recipes import small_recipe
from tests.datasets.trees import digest_of_tree

ROOT = Path(__file__).parents[2]
N_CURVES = 24 * SHARD_SIZE
RUN = """
import sys
from pathlib import Path
from nmr_platform.datasets import generate
from tests.datasets.recipes import small_recipe
folder = Path(sys.argv[1])
generate(small_recipe(n_curves=int(sys.argv[2])), folder / "set.zarr", shard_folder=folder / "shards")
"""


def run_until(condition, folder):
    """Start a run in a process of its own and kill it as soon as ``condition`` holds; returns its exit code."""
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, str(folder), str(N_CURVES)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 300
    while process.poll() is None and not condition() and time.monotonic() < deadline:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    _, errors = process.communicate()
    assert process.returncode in {0, -signal.SIGKILL}, errors
    return process.returncode


def test_killed_again_and_again_it_ends_with_the_bytes_of_an_uninterrupted_run(tmp_path):
    kept = generate(small_recipe(), tmp_path / "set.zarr", shard_folder=tmp_path / "other").path
    before = digest_of_tree(kept)
    counts = [0]
    for condition in (
        lambda: n_shards(tmp_path / "shards") >= 3,
        lambda: n_shards(tmp_path / "shards") >= counts[-1] + 8,
        lambda: any(tmp_path.glob(".set.zarr.*.partial/m/c")),
    ):
        assert run_until(condition, tmp_path) == -signal.SIGKILL
        counts.append(n_shards(tmp_path / "shards"))
        assert digest_of_tree(kept) == before
    assert counts == sorted(set(counts))
    assert run_until(lambda: False, tmp_path) == 0
    whole = {"path": tmp_path / "whole.zarr", "shard_folder": tmp_path / "whole"}
    assert digest_of_tree(kept) == digest_of_tree(generate(small_recipe(n_curves=N_CURVES), **whole).path)
    assert not [path for path in tmp_path.rglob(".*") if path.name != ".lock"]
    assert not list(tmp_path.rglob("*.partial"))


@contextmanager
def no_file_larger_than(n_bytes):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(
    ("n_bytes", "what", "n_kept"),
    [(10_000, "curves \\d+ to \\d+ into `.*shards.*`", 0), (100_000, "data set `.*set.zarr`", 12)],
)
def test_a_full_disk_is_said_in_one_sentence_and_costs_no_finished_shard(tmp_path, n_bytes, what, n_kept):
    recipe = small_recipe(n_curves=12 * SHARD_SIZE)
    paths = {"path": tmp_path / "set.zarr", "shard_folder": tmp_path / "shards"}
    sentence = f"There is no room to write {what} \\(the file is too large\\); make some and run the same command again"
    with no_file_larger_than(n_bytes), pytest.raises(DataError, match=sentence):
        generate(recipe, **paths)
    assert [path.name for path in tmp_path.iterdir()] == ["shards"]
    assert n_shards(tmp_path) == n_kept
    assert generate(recipe, **paths).n_simulated == recipe.n_curves - n_kept * SHARD_SIZE
