import pytest
import xarray as xr

from nmr_platform.datasets import generate, labels_of, load
from nmr_platform.errors import DataError
from tests.datasets.recipes import small_recipe


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    return generate(small_recipe(), folder / "set.zarr", shard_folder=folder / "shards").path


def test_a_data_set_knows_where_it_comes_from(path):
    dataset = load(path)
    assert dataset.attrs["digest"] == small_recipe().digest
    assert dataset.attrs["engine_version"] >= 1
    assert dataset["m"].dtype == "complex64"


def test_labels_hold_one_row_a_curve_with_kernel_disorder_and_targets(path):
    labels = labels_of(load(path))
    assert len(labels) == 6
    assert set(labels["kernel"]) == {"gaussian"}
    assert labels["disorder"].is_unique
    total = 2 * labels["X"] + labels["Z"]
    assert total.to_numpy() == pytest.approx(labels["W"].to_numpy())
    assert labels["exponent"].to_numpy() == pytest.approx(2.0)


def test_a_missing_data_set_is_named_with_the_command_that_makes_it(tmp_path):
    with pytest.raises(
        DataError, match=r"Data set `.*nothing.zarr` does not exist .*; make it with `dvc repro simulate`"
    ):
        load(tmp_path / "nothing.zarr")


def test_a_data_set_of_another_version_is_refused_by_both_versions(path, tmp_path):
    other = xr.open_zarr(path, chunks=None).load()
    other.attrs["format_version"] = 0
    for variable in [*other.data_vars.values(), *other.coords.values()]:
        variable.encoding.clear()
    other.to_zarr(tmp_path / "old.zarr", zarr_format=2)
    with pytest.raises(
        DataError, match=r"old.zarr` has format version 0, but this version of nmr_platform reads version 1"
    ):
        load(tmp_path / "old.zarr")
