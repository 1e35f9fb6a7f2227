"""The store in which finished curves wait: what a kill, a power cut or a stray writer may do to it is seen."""

import shutil

import numpy as np
import pytest

from nmr_platform.datasets import generate, load
from nmr_platform.datasets.generation.shards import SHARD_SIZE, Shard, Shards, ShardTask, make_shard, shards_of
from nmr_platform.errors import DataError
from tests.datasets.executor_contract import tasks_of
from tests.datasets.recipes import small_prior, small_recipe
from tests.datasets.trees import digest_of_tree


@pytest.fixture
def recipe():
    return small_recipe(n_curves=SHARD_SIZE + 10)


@pytest.fixture
def folder(recipe, tmp_path):
    """The finished shards of the recipe."""
    for task in tasks_of(recipe, tmp_path / "shards"):
        make_shard(task)
    return tmp_path / "shards"


def sealed(shards, shard):
    """Numbers and seals of the finished curves of a shard, as `Shards.records` wants them."""
    texts = shards.texts(shard)
    return np.arange(shard.start, shard.stop), np.array([text["seal"] for text in texts], np.uint32)


def test_a_shard_is_one_chunk_of_each_array_so_that_two_workers_never_write_one_file(folder, recipe):
    for name in ("m", "m_z", "curve"):
        assert sorted(path.name for path in (folder / name / "c").iterdir()) == ["0", "1"]
    assert [shard.start // SHARD_SIZE for shard in shards_of(recipe.n_curves)] == [0, 1]


@pytest.mark.parametrize("name", ["m", "m_z", "curve"])
def test_any_flipped_or_missing_byte_of_a_shard_is_seen(folder, recipe, name):
    shard = shards_of(recipe.n_curves)[1]
    (file,) = (
        (path for path in (folder / name / "c" / "1").rglob("*") if path.is_file())
        if name != "curve"
        else (folder / "curve" / "c" / "1",)
    )
    whole = file.read_bytes()
    for position in np.random.default_rng(0).integers(len(whole), size=20):
        for harmed in (whole[:position], whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :]):
            file.write_bytes(harmed)
            with pytest.raises(DataError, match=r"Chunk `.*` is damaged \(checksum\); the same command again makes"):
                Shards(folder).records(*sealed(Shards(folder), shard))
    file.write_bytes(whole)
    assert Shards(folder).records(*sealed(Shards(folder), shard))["m"].shape == (10, recipe.example.n_samples)


@pytest.mark.parametrize("name", ["m", "m_z"])
def test_a_chunk_that_is_whole_but_not_the_one_that_the_texts_tell_of_is_seen_and_made_anew(folder, recipe, name):
    # As after a power cut, or when a worker of a run that was killed writes once more.
    before = digest_of_tree(folder)
    shutil.copy(folder / name / "c" / "0" / "0", folder / name / "c" / "1" / "0")
    wanted = shards_of(recipe.n_curves)
    shards = Shards(folder)
    with pytest.raises(DataError, match=r"`.*/m/c/1/0` does not hold the record of curve 50; the same command again"):
        shards.records(*sealed(shards, wanted[1]))
    assert len(list(shards.remove_damaged(wanted))) == 1
    assert not any(shards.texts(wanted[1]))
    for task in tasks_of(recipe, folder):
        make_shard(task)
    assert digest_of_tree(folder) == before


def test_a_lost_chunk_is_seen_and_never_read_as_zeros(folder, recipe):
    (folder / "m_z" / "c" / "0" / "0").unlink()
    shards = Shards(folder)
    with pytest.raises(DataError, match=r"m_z/c/0/0` is missing; .* must be one that all workers share"):
        shards.records(*sealed(shards, Shard(0, SHARD_SIZE)))


def test_a_longer_data_set_finishes_the_last_shard_with_its_new_curves_only(folder, recipe):
    longer = recipe.replace(n_curves=2 * SHARD_SIZE)
    reports = [make_shard(task) for task in tasks_of(longer, folder)]
    assert [report.n_simulated for report in reports] == [0, SHARD_SIZE - 10]
    assert all(map(bool, Shards(folder).texts(Shard(SHARD_SIZE, 2 * SHARD_SIZE))))


def test_a_shorter_data_set_leaves_the_curves_of_a_longer_one_where_they_are(folder, recipe):
    shorter = recipe.replace(n_curves=SHARD_SIZE + 5)
    before = digest_of_tree(folder / "m")
    assert [make_shard(task).n_simulated for task in tasks_of(shorter, folder)] == [0, 0]
    assert digest_of_tree(folder / "m") == before
    assert [make_shard(task).n_simulated for task in tasks_of(recipe, folder)] == [0, 0]


def test_metadata_that_was_damaged_is_written_anew_and_costs_no_curve(folder, recipe):
    (folder / "m" / "zarr.json").write_text("{")
    (folder / "zarr.json").unlink()
    assert [make_shard(task).n_simulated for task in tasks_of(recipe, folder)] == [0, 0]


def test_a_worker_of_another_version_makes_nothing(recipe, tmp_path):
    task = tasks_of(recipe, tmp_path / "shards")[0]._replace(digest="0123456789abcdef")
    with pytest.raises(DataError, match=r"must have the same version .* and 0123456789abcdef for one data set"):
        make_shard(task)


def test_a_worker_that_does_not_see_the_folder_says_so(recipe, tmp_path):
    task = ShardTask(recipe, recipe.curve_digest, Shard(0, SHARD_SIZE), tmp_path / "elsewhere")
    with pytest.raises(DataError, match=r"elsewhere` must be one that all workers share, but holds no shards"):
        make_shard(task)


def test_failed_curves_are_taken_over_from_a_published_data_set_too(tmp_path):
    prior = small_prior(coupling__alpha_z={"kind": "choice", "values": [*[0.001] * 9, 1e9]})
    recipe = small_recipe(n_curves=SHARD_SIZE, prior=prior, constraints={})
    path = tmp_path / "set.zarr"
    first = generate(recipe, path, shard_folder=tmp_path / "shards", drop_failed=True)
    before = digest_of_tree(path)
    again = generate(recipe, path, shard_folder=tmp_path / "other", drop_failed=True)
    assert again.n_simulated == 0
    assert again.failures == first.failures
    assert digest_of_tree(path) == before
    assert load(path).sizes["curve"] == SHARD_SIZE - len(first.failures)
