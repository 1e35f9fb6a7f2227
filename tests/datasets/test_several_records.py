"""Data sets whose curves have several records: all that holds for one record holds for them."""

import shutil

import numpy as np
import pytest
import xarray as xr
import zarr

from nmr_platform import ConfigurationError, DataError, simulate
from nmr_platform.datasets import generate, labels_of, load, load_records, publish, recipe_of, repair, verify
from nmr_platform.datasets.generation.shards import SHARD_SIZE, Shards, shards_of
from nmr_platform.simulation import noise_of_record
from tests.datasets.recipes import small_recipe, small_values
from tests.datasets.trees import digest_of_tree

SEQUENCES = {
    "plain": {"kind": "hahn", "tau": 2.0},
    "decay": {"kind": "hahn", "theta1": 60.0, "sweep": {"tau": [1, 4]}},
}
NAMES = ["plain", "decay-tau1", "decay-tau4"]
N_CURVES = SHARD_SIZE + 10


def several(n_curves=N_CURVES, **changes):
    experiment = {key: value for key, value in small_values()["experiment"].items() if key != "sequence"}
    return small_recipe(n_curves=n_curves, experiment=experiment | {"sequences": SEQUENCES} | changes)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("several")
    return generate(several(receiver={"noise": 1e-3}), folder / "set.zarr", shard_folder=folder / "shards").path


@pytest.fixture
def path(made, tmp_path):
    """A copy to do harm to."""
    return shutil.copytree(made, tmp_path / "set.zarr")


def spoil(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0x10
    file.write_bytes(content)


def test_every_record_has_the_bits_of_its_experiment_simulated_alone(made):
    recipe, records = several(receiver={"noise": 1e-3}), load_records(made)
    assert list(records) == NAMES
    curve = recipe.curve(53)
    for number, (name, experiment) in enumerate(curve.measurement.experiments.items()):
        alone = simulate(experiment, seed=curve.disorder_seed, noise_seed=noise_of_record(curve.noise_seed, number))
        np.testing.assert_array_equal(records[name]["m"][53], alone.m)
        np.testing.assert_array_equal(records[name]["m_z"][53], alone.m_z)
        np.testing.assert_array_equal(records[name]["time"], alone.time)
        assert records[name].attrs["echo_index"] == alone.echo_indices[-1]


def test_a_record_is_the_data_set_of_its_recipe_alone(tmp_path):
    recipe = several(n_curves=4)
    whole = generate(recipe, tmp_path / "set.zarr", shard_folder=tmp_path / "shards").path
    for name in NAMES:
        alone = generate(recipe.of_record(name), tmp_path / "one.zarr", shard_folder=tmp_path / "shards").path
        record = load(whole, name).load()
        xr.testing.assert_identical(record.drop_attrs(deep=False), load(alone).load().drop_attrs(deep=False))
        assert list(record.variables) == list(load(alone).variables)
        of_all = {"whole_digest": recipe.digest, "whole_curve_digest": recipe.curve_digest}
        of_all |= {"whole_recipe": recipe.model_dump_json(), "record": name}
        assert record.attrs == load(alone).attrs | of_all
        assert recipe_of(record, whole) == recipe.of_record(name)


def test_a_record_is_asked_for_by_its_name(made):
    with pytest.raises(ConfigurationError, match=r"has the records plain, decay-tau1, decay-tau4: one of them must be"):
        load(made)
    with pytest.raises(ConfigurationError, match=r"`record` must be one of plain, decay-tau1, decay-tau4, but is 'b'"):
        load(made, "b")


def test_an_only_record_has_no_name(tmp_path):
    path = generate(small_recipe(), tmp_path / "set.zarr", shard_folder=tmp_path / "shards").path
    assert list(load_records(path)) == [""]
    xr.testing.assert_identical(load(path, ""), load(path))
    with pytest.raises(ConfigurationError, match=r"`record` must be left out, for the data set has one record, but is"):
        load(path, "plain")


def test_any_zarr_reader_opens_it_as_a_tree(made):
    with xr.open_datatree(made, engine="zarr", chunks=None, consolidated=False) as tree:
        assert set(tree.children) == set(NAMES)
        np.testing.assert_array_equal(tree["W"], load(made, "plain")["W"])
        for name, ours in load_records(made).items():
            np.testing.assert_array_equal(tree[name]["m"], ours["m"])
            np.testing.assert_array_equal(tree[name]["curve"], ours["curve"])
            np.testing.assert_array_equal(tree[name]["time"], ours["time"])


def test_a_second_run_simulates_nothing_and_a_larger_set_only_the_new_curves(path, made, tmp_path):
    noisy = {"receiver": {"noise": 1e-3}}
    before = digest_of_tree(made)
    assert generate(several(**noisy), path, shard_folder=tmp_path / "shards").n_simulated == 0
    assert digest_of_tree(path) == before
    assert generate(several(N_CURVES + 5, **noisy), path, shard_folder=tmp_path / "shards").n_simulated == 5
    fresh = generate(several(N_CURVES + 5, **noisy), tmp_path / "fresh.zarr", shard_folder=tmp_path / "fresh").path
    assert digest_of_tree(path) == digest_of_tree(fresh)


def test_verify_and_repair_know_every_record(path, made, tmp_path):
    assert len(verify(path, fraction=0.1).curves) == 6
    spoil(path / "decay-tau4" / "m_z" / "c" / "0" / "0")
    sentence = r"Chunk `decay-tau4/m_z/c/0/0` \(rows 0 to 59\) of data set `.*set.zarr` is damaged \(checksum\)"
    with pytest.raises(DataError, match=sentence):
        load(path, "decay-tau4")["m_z"].load()
    with pytest.raises(DataError, match=sentence):
        verify(path)
    assert np.isfinite(load(path, "plain")["m_z"]).all()
    repair(path, shard_folder=tmp_path / "none")
    assert digest_of_tree(path) == digest_of_tree(made)


@pytest.mark.parametrize("lost", ["decay-tau1/zarr.json", "decay-tau1/m/zarr.json", "W/zarr.json"])
def test_lost_metadata_is_refused_when_the_data_set_is_opened(path, lost):
    (path / lost).unlink()
    with pytest.raises(DataError, match=r"set.zarr` has damaged metadata \(.* (missing|is another)\)"):
        load_records(path)


def test_verify_names_a_curve_whose_second_record_differs(tmp_path):
    recipe = several(n_curves=3)
    path = generate(recipe, tmp_path / "set.zarr", shard_folder=tmp_path / "shards").path
    zarr.open_group(path, mode="r+")["decay-tau1/m_z"][1, 3] = 1.0
    with pytest.raises(DataError, match=r"of 3 curves simulated again 1 differ from the stored ones \(curves 1\)"):
        verify(path, fraction=1.0)


def test_a_shard_whose_record_was_exchanged_is_made_anew(tmp_path):
    recipe = several(n_curves=2 * SHARD_SIZE)
    made = generate(recipe, tmp_path / "set.zarr", shard_folder=tmp_path / "shards").path
    before = digest_of_tree(made)
    shutil.rmtree(made)
    folder = tmp_path / "shards" / recipe.curve_digest
    shutil.copy(folder / "decay-tau4" / "m" / "c" / "0" / "0", folder / "decay-tau4" / "m" / "c" / "1" / "0")
    assert all(map(all, [Shards(folder).texts(shard) for shard in shards_of(recipe.n_curves)]))
    assert generate(recipe, made, shard_folder=tmp_path / "shards").n_simulated == SHARD_SIZE
    assert digest_of_tree(made) == before


def test_records_in_memory_are_published_and_read_back(made, tmp_path):
    records = {name: dataset.load() for name, dataset in load_records(made).items()}
    publish(records, tmp_path / "copy.zarr", chunk=16)
    verify(tmp_path / "copy.zarr")
    again = load_records(tmp_path / "copy.zarr")
    assert list(again) == NAMES
    for name, dataset in again.items():
        xr.testing.assert_identical(dataset.load(), records[name])
    assert len(labels_of(again["plain"])) == N_CURVES


@pytest.mark.parametrize("name", ["W", "curve", "zarr.json", "m"])
def test_a_record_is_not_called_like_something_else_in_the_folder(name):
    experiment = {key: value for key, value in small_values()["experiment"].items() if key != "sequence"}
    with pytest.raises(ConfigurationError, match=rf"Key `sequences\.{name}` must have another name, for in a data set"):
        small_recipe(experiment=experiment | {"sequences": {name: SEQUENCES["plain"]}})
