import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from nmr_platform.datasets import generate, load
from nmr_platform.datasets.generate import SHARD_SIZE
from nmr_platform.errors import DataError
from nmr_platform.simulation import simulate
from tests.datasets.recipes import small_recipe


@pytest.fixture
def paths(tmp_path):
    return {"path": tmp_path / "set.zarr", "shard_folder": tmp_path / "shards"}


def test_the_stored_curves_are_those_of_simulate(paths):
    recipe = small_recipe()
    generate(recipe, **paths)
    dataset = load(paths["path"])
    curve = recipe.curve(4)
    alone = simulate(curve.experiment, seed=curve.disorder_seed)
    np.testing.assert_array_equal(dataset["m"][4], alone.m)
    np.testing.assert_array_equal(dataset["m_z"][4], alone.m_z)
    assert float(dataset["W"][4]) == curve.experiment.kernel_integral
    assert dataset["time"].attrs["units"] == "us"


def test_bits_do_not_depend_on_the_number_of_threads(paths, tmp_path):
    recipe = small_recipe()
    generate(recipe, **paths, threads=1)
    generate(recipe, tmp_path / "other.zarr", shard_folder=tmp_path / "other", threads=3)
    np.testing.assert_array_equal(load(paths["path"])["m"], load(tmp_path / "other.zarr")["m"])


def test_a_second_run_simulates_nothing_and_gives_the_same_data(paths):
    first = generate(small_recipe(), **paths)
    before = load(paths["path"])["m"].to_numpy()
    again = generate(small_recipe(), **paths)
    assert (first.n_simulated, again.n_simulated) == (6, 0)
    np.testing.assert_array_equal(load(paths["path"])["m"], before)


def test_a_larger_data_set_simulates_only_the_new_curves(paths):
    generate(small_recipe(n_curves=SHARD_SIZE), **paths)
    before = load(paths["path"])["m"].to_numpy()
    larger = generate(small_recipe(n_curves=SHARD_SIZE + 10), **paths)
    assert larger.n_simulated == 10
    np.testing.assert_array_equal(load(paths["path"])["m"][:SHARD_SIZE], before)


def test_frozen_data_share_their_offsets(paths):
    recipe = small_recipe(
        disorder="frozen",
        prior={
            "kernel.xi": {"kind": "choice", "values": [2.0]},
            "coupling.alpha_x": {"kind": "choice", "values": [0.01]},
            "coupling.alpha_y": {"kind": "same_as", "key": "coupling.alpha_x"},
            "coupling.alpha_z": {"kind": "choice", "values": [0.01]},
        },
    )
    generate(recipe, **paths)
    m = load(paths["path"])["m"].to_numpy()
    np.testing.assert_array_equal(m, np.broadcast_to(m[0], m.shape))


def test_progress_counts_every_curve_also_those_found(paths):
    counts: list[int] = []
    generate(small_recipe(), **paths, progress=counts.append)
    assert sum(counts) == 6
    counts.clear()
    generate(small_recipe(), **paths, progress=counts.append)
    assert sum(counts) == 6


def test_a_damaged_shard_is_named_with_what_to_do(paths):
    generate(small_recipe(), **paths)
    (shard,) = paths["shard_folder"].rglob("*.npz")
    content = bytearray(shard.read_bytes())
    content[content.index(b"m.npy") + 500] ^= 0xFF
    shard.write_bytes(content)
    with pytest.raises(DataError, match=rf"Shard `{shard}` is damaged .*; delete it and run the same command again"):
        generate(small_recipe(), **paths)


def test_a_run_killed_with_sigkill_continues_with_its_finished_shards(paths, tmp_path):
    script = (
        "import sys; from pathlib import Path\n"
        "from nmr_platform.datasets import generate\n"
        "from tests.datasets.recipes import small_recipe\n"
        "generate(small_recipe(n_curves=100_000), Path(sys.argv[1]), shard_folder=Path(sys.argv[2]))\n"
    )
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(paths["path"]), str(paths["shard_folder"])],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root)},
    )
    deadline = time.monotonic() + 60
    while len(list(paths["shard_folder"].rglob("[0-9]*.npz"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not paths["path"].exists()
    n_shards = len(list(paths["shard_folder"].rglob("[0-9]*.npz")))
    resumed = generate(small_recipe(n_curves=(n_shards + 1) * SHARD_SIZE), **paths)
    assert n_shards >= 2
    assert resumed.n_simulated == SHARD_SIZE
    assert load(paths["path"]).sizes["curve"] == (n_shards + 1) * SHARD_SIZE
