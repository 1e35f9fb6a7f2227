import json
import shutil
import warnings

import numcodecs.blosc
import numpy as np
import pytest
import xarray as xr
import zarr

from nmr_platform.datasets import generate, labels_of, load, n_verified, publish, recipe_of, repair, verify
from nmr_platform.datasets.metadata import seal
from nmr_platform.errors import DataError
from tests.datasets.recipes import small_recipe
from tests.datasets.trees import digest_of_tree

# More than one chunk of 500 curves.
N_CURVES = 520


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    return generate(small_recipe(n_curves=N_CURVES), folder / "set.zarr", shard_folder=folder / "shards").path


@pytest.fixture
def path(made, tmp_path):
    """A copy to do harm to."""
    return shutil.copytree(made, tmp_path / "set.zarr")


def flip_a_bit(file, position=None):
    content = bytearray(file.read_bytes())
    content[len(content) // 2 if position is None else position] ^= 0x10
    file.write_bytes(content)


def test_a_data_set_knows_where_it_comes_from(made):
    dataset = load(made)
    assert dataset.attrs["digest"] == small_recipe(n_curves=N_CURVES).digest
    assert dataset.attrs["engine_version"] >= 1
    assert recipe_of(dataset, made) == small_recipe(n_curves=N_CURVES)
    assert dataset["m"].dtype == "complex64"
    assert dataset["xi"].attrs["units"] == "lattice constants"


def test_records_lie_in_a_few_large_chunks(made):
    assert sorted(file.name for file in (made / "m" / "c").iterdir()) == ["0", "1"]


def test_any_zarr_reader_opens_it_without_a_warning(made):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plain = xr.open_zarr(made, chunks=None, consolidated=False).load()
    ours = load(made).load()
    assert plain.sizes == ours.sizes
    assert set(plain.coords) == set(ours.coords)
    for name, values in ours.variables.items():
        np.testing.assert_array_equal(plain[name], values, err_msg=str(name))
        assert plain[name].attrs == values.attrs


def test_coordinates_come_in_the_same_order_every_time(made):
    orders = {tuple(load(made).variables) for _ in range(5)}
    (order,) = orders
    assert order[:8] == ("m", "m_z", "curve", "time", "kernel", "disorder", "seed", "n_draws")


def test_labels_hold_one_row_a_curve_with_kernel_disorder_and_targets(made):
    labels = labels_of(load(made))
    assert len(labels) == N_CURVES
    assert set(labels["kernel"]) == {"gaussian"}
    assert labels["disorder"].is_unique
    total = 2 * labels["X"] + labels["Z"]
    assert total.to_numpy() == pytest.approx(labels["W"].to_numpy())
    assert labels["exponent"].to_numpy() == pytest.approx(2.0)


def test_a_missing_data_set_is_named_with_the_command_that_makes_it(tmp_path):
    with pytest.raises(
        DataError, match=r"`.*nothing.zarr` does not exist .*; make it with `dvc repro simulate` or `nmr"
    ):
        load(tmp_path / "nothing.zarr")


@pytest.mark.parametrize("version", [1, 3])
def test_a_data_set_of_another_version_is_refused_by_both_versions(path, version):
    metadata = json.loads((path / "zarr.json").read_text())
    metadata["attributes"]["format_version"] = version
    (path / "zarr.json").write_text(json.dumps(metadata))
    with pytest.raises(DataError, match=rf"has format version {version}, but this version of .* reads version 2"):
        load(path)


def test_a_data_set_of_the_first_format_is_refused(tmp_path):
    (tmp_path / ".zmetadata").write_text("{}")
    with pytest.raises(DataError, match=r"is of an older format version; make it with `dvc repro simulate`"):
        load(tmp_path)


@pytest.mark.parametrize("harm", ["flip", "flip the checksum", "truncate", "empty", "delete"])
def test_a_harmed_chunk_is_named_when_it_is_read_and_others_are_not_affected(path, harm):
    file = path / "m" / "c" / "1" / "0"
    size = file.stat().st_size
    match harm:
        case "flip":
            flip_a_bit(file)
        case "flip the checksum":
            flip_a_bit(file, size - 1)
        case "truncate":
            file.write_bytes(file.read_bytes()[: size // 2])
        case "empty":
            file.write_bytes(b"")
        case _:
            file.unlink()
    dataset = load(path)
    assert np.isfinite(dataset["m"][:500].to_numpy()).all()
    sentence = (
        r"Chunk `m/c/1/0` \(rows 500 to 519\) of data set `.*set.zarr` is (damaged \(checksum\)|missing); "
        r"`nmr generate --repair --out .*set.zarr` makes it anew, and only it"
    )
    with pytest.raises(DataError, match=sentence):
        dataset["m"].load()
    with pytest.raises(DataError, match=sentence):
        verify(path)


def test_damage_anywhere_in_a_chunk_is_seen(path):
    file = path / "m_z" / "c" / "1" / "0"
    whole = file.read_bytes()
    rng = np.random.default_rng(0)
    for position in rng.integers(len(whole), size=40):
        file.write_bytes(whole)
        flip_a_bit(file, int(position))
        with pytest.raises(DataError, match=r"`m_z/c/1/0` .* is damaged"):
            load(path)["m_z"].load()


@pytest.mark.parametrize("harm", ["root", "variable", "lost"])
def test_damaged_metadata_is_refused_when_the_data_set_is_opened(path, harm):
    file = path / "zarr.json" if harm == "root" else path / "W" / "zarr.json"
    if harm == "lost":
        file.unlink()
    else:
        file.write_text(file.read_text()[:100])
    with pytest.raises(DataError, match=r"`.*set.zarr` has damaged metadata \(.*; make it again with the command"):
        load(path)


def with_attributes(metadata, **values):
    return metadata | {"attributes": metadata["attributes"] | values}


CHANGES = {
    "no attributes": lambda metadata: {name: value for name, value in metadata.items() if name != "attributes"},
    "a list": lambda metadata: [metadata],
    "variables": lambda metadata: with_attributes(metadata, variables={"m": 1}),
    "outside": lambda metadata: with_attributes(metadata, variables=["../../m"]),
    "a value": lambda metadata: with_attributes(metadata, echo_index=7),
    "types": lambda metadata: with_attributes(metadata, digest=7, recipe=[], failures=None),
    "hardly anything": lambda metadata: metadata | {"attributes": {"format_version": 2}},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_metadata_of_another_form_is_refused(path, change):
    file = path / "zarr.json"
    file.write_text(json.dumps(change(json.loads(file.read_text()))))
    for read in (load, verify):
        with pytest.raises(DataError, match=r"`.*set.zarr` (has damaged metadata \(|does not exist)"):
            read(path)


@pytest.mark.parametrize("key", ["shape", "data_type", "chunk_grid", "codecs", "fill_value", "attributes"])
@pytest.mark.parametrize("value", [None, [], {}, "x", 7, [10**12, 10**12]])
def test_metadata_of_a_variable_that_was_changed_is_refused(path, key, value):
    file = path / "m" / "zarr.json"
    described = json.loads(file.read_text())
    file.write_text(json.dumps(described | {key: value}))
    with pytest.raises(DataError, match=r"`.*set.zarr` has damaged metadata \("):
        load(path)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[" * 100_000, b"null", b"7", b'{"a": 1, "a": 2}'])
@pytest.mark.parametrize("name", ["zarr.json", "W/zarr.json"])
def test_metadata_that_is_no_json_object_is_refused(path, name, content):
    (path / name).write_bytes(content)
    with pytest.raises(DataError, match=r"`.*set.zarr` has damaged metadata \("):
        load(path)


def test_repair_simulates_the_damaged_chunk_alone_and_restores_every_byte(path, made, tmp_path):
    flip_a_bit(path / "m" / "c" / "1" / "0")
    again = repair(path, shard_folder=tmp_path / "none")
    assert again.n_simulated == N_CURVES - 500
    assert digest_of_tree(path) == digest_of_tree(made)


def test_repair_of_a_coordinate_simulates_nothing(path, made, tmp_path):
    (path / "W" / "c" / "0").write_bytes(b"")
    assert repair(path, shard_folder=tmp_path / "none").n_simulated == 0
    assert digest_of_tree(path) == digest_of_tree(made)


def test_a_data_set_from_elsewhere_is_stored_alike_but_has_no_recipe_to_verify_it_by(made, tmp_path):
    ours = load(made).load().isel(curve=slice(0, 40))
    theirs = ours.drop_attrs(deep=False)
    publish(theirs, tmp_path / "theirs.zarr", chunk=16)
    again = load(tmp_path / "theirs.zarr")
    xr.testing.assert_identical(again.load().drop_attrs(deep=False), theirs)
    assert list(again.variables) == list(ours.variables)
    assert len(list((tmp_path / "theirs.zarr" / "m" / "c").iterdir())) == 3
    with pytest.raises(DataError, match=r"theirs.zarr` has no recipe, for it was imported; it can be neither verified"):
        verify(tmp_path / "theirs.zarr")


def test_verify_simulates_one_percent_again_and_agrees(made):
    assert len(verify(made, seed=1).curves) == 5
    assert verify(made, seed=1) != verify(made, seed=2)
    assert n_verified(10) == 1, "of a small data set one curve at least"


def test_verify_names_the_curves_that_come_out_differently(path):
    group = zarr.open_group(path, mode="r+")
    group["m"][3, 5] = np.nextafter(group["m"][3, 5].real, np.float32(1)) + 1j * group["m"][3, 5].imag
    group["m_z"][77, 5] = np.nextafter(group["m_z"][77, 5], np.float32(1))
    group["xi"][501] = np.nextafter(group["xi"][501], 9)
    with pytest.raises(
        DataError,
        match=r"of 520 curves simulated again 3 differ from the stored ones \(curves 3, 77, 501\): it was changed",
    ):
        verify(path, fraction=1.0)


def test_a_data_set_of_another_engine_is_not_verified_against_this_one(path):
    metadata = json.loads((path / "zarr.json").read_text())
    metadata["attributes"]["digest"] = "0123456789abcdef"
    (path / "zarr.json").write_text(json.dumps(metadata))
    seal(path)
    with pytest.raises(DataError, match=r"was made by engine version \d+ with identity 0123456789abcdef, but this"):
        verify(path)


def test_the_bytes_do_not_depend_on_how_many_threads_may_compress(tmp_path):
    rng = np.random.default_rng(0)
    n_curves, n_samples = 64, 4000
    noise = rng.normal(size=(2, n_curves, n_samples)).astype(np.float32)
    dataset = xr.Dataset(
        {"m": (("curve", "time"), noise[0] + 1j * noise[1]), "m_z": (("curve", "time"), noise[1])},
        coords={"curve": np.arange(n_curves), "time": np.arange(n_samples, dtype=float)},
    )
    before = numcodecs.blosc.set_nthreads(1)
    digests = set()
    try:
        for n_threads in (1, 8, 8):
            numcodecs.blosc.set_nthreads(n_threads)
            publish(dataset, tmp_path / "set.zarr")
            digests.add(digest_of_tree(tmp_path / "set.zarr"))
    finally:
        numcodecs.blosc.set_nthreads(before)
    assert len(digests) == 1
