import shutil

import numpy as np
import pytest
from filelock import FileLock

from nmr_platform.datasets import ThreadsSettings, Watcher, generate, load, make_executor
from nmr_platform.datasets.generation.generate import _curves_per_chunk
from nmr_platform.datasets.generation.shards import SHARD_SIZE
from nmr_platform.errors import DataError
from nmr_platform.simulation import simulate
from tests.datasets.recipes import small_prior, small_recipe, small_values
from tests.datasets.trees import digest_of_tree


@pytest.fixture
def paths(tmp_path):
    return {"path": tmp_path / "set.zarr", "shard_folder": tmp_path / "shards"}


class Recorder(Watcher):
    def __init__(self):
        self.n_curves, self.sentences = 0, []

    def advance(self, n_curves):
        self.n_curves += n_curves

    def repairs(self, sentence):
        self.sentences.append(sentence)


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


def test_a_data_set_says_how_its_records_were_taken_and_drawn(paths):
    values = small_values()
    recipe = small_recipe(experiment=values["experiment"] | {"receiver": {"every": 2}})
    made = generate(recipe, **paths)
    dataset = load(paths["path"])
    assert dataset.attrs["step"] == pytest.approx(0.3)
    assert np.diff(dataset["time"]) == pytest.approx(0.3)
    n_draws = int(dataset["n_draws"].sum())
    assert n_draws > 6
    assert dataset.attrs["acceptance"] == made.acceptance == 6 / n_draws


@pytest.mark.parametrize(("n_samples", "n_curves"), [(40, 500), (1884, 500), (20_000, 200), (1_000_000, SHARD_SIZE)])
def test_chunks_are_whole_shards_and_smaller_where_records_are_long(n_samples, n_curves):
    assert _curves_per_chunk(n_samples) == n_curves


def test_every_byte_is_the_same_again_on_any_number_of_threads(paths, tmp_path):
    recipe = small_recipe(n_curves=SHARD_SIZE + 3)
    generate(recipe, **paths, executor=make_executor(ThreadsSettings(n=1)))
    other = {"path": tmp_path / "other.zarr", "shard_folder": tmp_path / "other"}
    generate(recipe, **other, executor=make_executor(ThreadsSettings(n=3)))
    assert digest_of_tree(paths["path"]) == digest_of_tree(other["path"])


def test_a_second_run_simulates_nothing_and_gives_the_same_bytes(paths):
    first = generate(small_recipe(), **paths)
    before = digest_of_tree(paths["path"])
    again = generate(small_recipe(), **paths)
    assert (first.n_simulated, again.n_simulated) == (6, 0)
    assert digest_of_tree(paths["path"]) == before


@pytest.mark.parametrize("keep_shards", [True, False])
def test_a_larger_data_set_simulates_only_the_new_curves(paths, keep_shards, tmp_path):
    n = SHARD_SIZE + 10
    generate(small_recipe(n_curves=n), **paths)
    if not keep_shards:
        shutil.rmtree(paths["shard_folder"])
    watcher = Recorder()
    larger = generate(small_recipe(n_curves=n + 45), **paths, watcher=watcher)
    assert larger.n_simulated == 45
    fresh = {"path": tmp_path / "fresh.zarr", "shard_folder": tmp_path / "fresh"}
    generate(small_recipe(n_curves=n + 45), **fresh)
    assert digest_of_tree(paths["path"]) == digest_of_tree(fresh["path"])


def test_a_smaller_data_set_is_cut_from_the_larger(paths):
    generate(small_recipe(n_curves=SHARD_SIZE), **paths)
    smaller = generate(small_recipe(n_curves=7), **paths)
    assert smaller.n_simulated == 0
    assert load(paths["path"]).sizes["curve"] == 7


def test_a_data_set_of_another_recipe_in_the_same_place_is_replaced(paths):
    generate(small_recipe(seed=8), **paths)
    assert generate(small_recipe(), **paths).n_simulated == 6
    assert load(paths["path"]).attrs["digest"] == small_recipe().digest


def test_frozen_data_share_their_offsets(paths):
    prior = {key: {"kind": "constant", "value": 0.01} for key in small_prior()}
    recipe = small_recipe(disorder="frozen", prior=prior | {"kernel.xi": {"kind": "constant", "value": 2.0}})
    generate(recipe, **paths)
    m = load(paths["path"])["m"].to_numpy()
    np.testing.assert_array_equal(m, np.broadcast_to(m[0], m.shape))


def test_watchers_see_every_simulated_curve(paths):
    watcher = Recorder()
    generate(small_recipe(), **paths, watcher=watcher)
    assert watcher.n_curves == 6
    generate(small_recipe(), **paths, watcher=watcher)
    assert watcher.n_curves == 6


def test_a_damaged_shard_is_named_and_made_anew_alone(paths):
    recipe = small_recipe(n_curves=2 * SHARD_SIZE)
    generate(recipe, **paths)
    before = digest_of_tree(paths["path"])
    shutil.rmtree(paths["path"])
    first, second = sorted(paths["shard_folder"].rglob("m/c/*/0"))
    content = bytearray(second.read_bytes())
    content[len(content) // 2] ^= 0x01
    second.write_bytes(content)
    watcher = Recorder()
    again = generate(recipe, **paths, watcher=watcher)
    assert again.n_simulated == SHARD_SIZE
    (sentence,) = watcher.sentences
    assert sentence.startswith(
        f"Chunk `{second}` is damaged (checksum); the same command again makes this shard anew, and only it."
    )
    assert digest_of_tree(paths["path"]) == before
    assert first.exists()


def test_nothing_but_a_data_set_is_replaced(paths):
    paths["path"].mkdir()
    generate(small_recipe(), **paths)
    other = paths["path"].with_name("thesis")
    other.mkdir()
    (other / "chapter.tex").write_text("text")
    with pytest.raises(DataError, match=r"thesis` exists and is not a data set; remove it or choose another name"):
        generate(small_recipe(), other, shard_folder=paths["shard_folder"])
    assert (other / "chapter.tex").exists()


def test_two_processes_do_not_make_the_same_data_set_at_once(paths):
    recipe = small_recipe()
    folder = paths["shard_folder"] / recipe.curve_digest
    folder.mkdir(parents=True)
    with (
        FileLock(folder / ".lock"),
        pytest.raises(DataError, match=r"Another process is making this data set \(it holds `.*\.lock`\)"),
    ):
        generate(recipe, **paths)
