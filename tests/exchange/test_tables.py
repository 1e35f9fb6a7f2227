"""CSV and HDF5: what is written is read back to the same bits."""

import os
import shutil
from types import SimpleNamespace

import h5py
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from nmr_platform.datasets import labels_of, load, publish
from nmr_platform.errors import DataError
from nmr_platform.exchange import hdf5_file, read_csv, read_hdf5, write_csv, write_hdf5

WRITERS = {
    "long csv": (lambda dataset, path: write_csv(dataset, path, table="long"), read_csv),
    "csv files": (lambda dataset, path: write_csv(dataset, path, table="curves"), read_csv),
    "hdf5": (write_hdf5, read_hdf5),
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_round_trip_keeps_every_bit_unit_and_attribute(dataset, tmp_path, name):
    write, read = WRITERS[name]
    write(dataset, tmp_path / "out")
    back = read(tmp_path / "out")
    xr.testing.assert_identical(back, dataset.drop_encoding())
    assert back["m"].dtype == np.complex64
    assert back["m"].to_numpy().tobytes() == dataset["m"].to_numpy().tobytes()
    assert back["kernel"].dtype == dataset["kernel"].dtype
    pd.testing.assert_frame_equal(labels_of(back), labels_of(dataset))


@pytest.mark.parametrize("name", WRITERS)
def test_what_was_read_can_be_published_as_a_data_set(dataset, tmp_path, name):
    write, read = WRITERS[name]
    write(dataset, tmp_path / "out")
    publish(read(tmp_path / "out"), tmp_path / "set.zarr")
    xr.testing.assert_identical(load(tmp_path / "set.zarr").load(), dataset)


def test_the_long_table_is_plain_csv_with_units_in_its_names(dataset, tmp_path):
    write_csv(dataset, tmp_path / "out")
    table = pd.read_csv(tmp_path / "out" / "curves.csv")
    assert list(table.columns) == ["curve", "time_us", "real", "imaginary", "m_z"]
    assert len(table) == dataset["m"].size
    assert len(pd.read_csv(tmp_path / "out" / "parameters.csv")) == 6


def test_hdf5_holds_real_arrays_that_any_reader_opens(dataset, tmp_path):
    write_hdf5(dataset, tmp_path / "out.h5")
    with h5py.File(tmp_path / "out.h5") as file:
        assert file["m_real"].dtype == file["m_imag"].dtype == np.float32
        assert file["time"].attrs["units"] == "us"
        assert file["W"].attrs["units"] == "MHz"
        assert "kernel.xi" in file.attrs["recipe"]


@pytest.mark.parametrize("name", WRITERS)
def test_nothing_is_overwritten_and_nothing_half_written_stays(dataset, tmp_path, name):
    write, _ = WRITERS[name]
    (tmp_path / "out").mkdir()
    with pytest.raises(DataError, match=r"out` exists; remove it or choose another name"):
        write(dataset, tmp_path / "out")
    with pytest.raises((KeyError, ValueError), match=r"\bm\b"):
        write(dataset.drop_vars("m"), tmp_path / "broken")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_folder_that_lost_a_file_is_refused(dataset, tmp_path):
    write_csv(dataset, tmp_path / "out")
    (tmp_path / "out" / "curves.csv").unlink()
    with pytest.raises(DataError, match=r"Folder `.*out` is not a complete data set in CSV"):
        read_csv(tmp_path / "out")


def test_a_folder_that_lost_a_curve_is_refused(dataset, tmp_path):
    write_csv(dataset, tmp_path / "out", table="curves")
    (tmp_path / "out" / "curve_0000003.csv").unlink()
    with pytest.raises(DataError, match=r"File `.*curve_0000003.csv` cannot be read: No such file"):
        read_csv(tmp_path / "out")


def changed(folder, name, change):
    """Change the rows of a table, each a list of cells."""
    rows = [line.split(",") for line in (folder / name).read_text().splitlines()]
    change(rows)
    (folder / name).write_text("".join(",".join(row) + "\n" for row in rows))


def swap_columns(rows):
    for row in rows:
        row[2], row[3] = row[3], row[2]


def test_columns_of_the_long_table_are_found_by_their_names(dataset, tmp_path):
    write_csv(dataset, tmp_path / "out")
    changed(tmp_path / "out", "curves.csv", swap_columns)
    xr.testing.assert_identical(read_csv(tmp_path / "out"), dataset.drop_encoding())
    (tmp_path / "out" / "curves.csv").write_bytes(b"\xef\xbb\xbf" + (tmp_path / "out" / "curves.csv").read_bytes())
    xr.testing.assert_identical(read_csv(tmp_path / "out"), dataset.drop_encoding())


@pytest.mark.parametrize(
    ("name", "change", "sentence"),
    [
        ("curves.csv", lambda rows: rows.pop(), r"curves.csv` has 233 rows, but must have as many of each of 6 curves"),
        (
            "curves.csv",
            lambda rows: rows.insert(1, rows.pop()),
            r"curves.csv` must have the curves of .* one after anot",
        ),
        ("curves.csv", lambda rows: rows[0].reverse(), None),
        (
            "curves.csv",
            lambda rows: rows[0].append("note"),
            r"curves.csv`, line 1 must name the columns curve, time_us, re",
        ),
        ("curves.csv", lambda rows: rows.pop(0), r"curves.csv`, line 1 must name the columns curve, time_us, real"),
        ("curves.csv", lambda rows: rows[9].pop(), r"curves.csv` is not a table of numbers"),
        ("curves.csv", lambda rows: rows[9].__setitem__(2, "x"), r"curves.csv` is not a table of numbers"),
        (
            "curves.csv",
            lambda rows: rows[9].__setitem__(2, "nan"),
            r"out` has a number that is not finite, or too large, among",
        ),
        (
            "curves.csv",
            lambda rows: rows[60].__setitem__(1, "7"),
            r"out`: the times of curve 1 are not those of the first",
        ),
        (
            "parameters.csv",
            lambda rows: rows.pop(),
            r"curves.csv` has 234 rows, but must have as many of each of 5|must have",
        ),
        ("parameters.csv", lambda rows: rows[0].__setitem__(0, "number"), r"is not the table of parameters that"),
        ("parameters.csv", lambda rows: rows[2].__setitem__(0, "one"), r"is not the table of parameters that"),
        ("parameters.csv", lambda rows: rows.__delitem__(slice(1, None)), r"parameters.csv` has no curves"),
    ],
)
def test_a_table_that_does_not_fit_is_named(dataset, tmp_path, name, change, sentence):
    write_csv(dataset, tmp_path / "out")
    changed(tmp_path / "out", name, change)
    with pytest.raises(DataError, match=sentence):
        read_csv(tmp_path / "out")


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('"dtypes"', '"types"', r"attributes.json` is damaged: Key `dtypes` is missing"),
        ('"float64"', '"U999999999"', r"attributes.json` is damaged: Key `dtypes.* is 'U999999999', but"),
        ('"float64"', "7", r"attributes.json` is damaged: Key `dtypes"),
        ('"m_z": {', '"m_y": {', r"attributes.json` is damaged: it says nothing about `m_z`"),
        ('"time": {', '"clock": {', r"attributes.json` is damaged: it says nothing about `time`"),
        ("{", "[" * 5000, r"attributes.json` is damaged"),
        ("{", "", r"attributes.json` is damaged"),
        ('"recipe": "{', '"recipe": "[', r"out` has an attribute `recipe` that is not JSON with keys of its own"),
    ],
)
def test_attributes_that_are_damaged_are_named(dataset, tmp_path, old, new, sentence):
    write_csv(dataset, tmp_path / "out")
    attributes = tmp_path / "out" / "attributes.json"
    assert old in attributes.read_text()
    attributes.write_text(attributes.read_text().replace(old, new, 1))
    with pytest.raises(DataError, match=sentence):
        read_csv(tmp_path / "out")


def test_a_file_that_is_not_hdf5_is_refused(tmp_path):
    (tmp_path / "no.h5").write_text("no")
    with pytest.raises(DataError, match=r"File `.*no.h5` is damaged or not HDF5"):
        read_hdf5(tmp_path / "no.h5")


def test_hdf5_of_something_else_is_refused(tmp_path):
    xr.Dataset({"temperature": ("x", np.arange(3.0))}).to_netcdf(tmp_path / "other.h5", engine="h5netcdf")
    with pytest.raises(DataError, match=r"File `.*other.h5` has no `m_imag`"):
        read_hdf5(tmp_path / "other.h5")


def test_a_changed_byte_of_an_hdf5_file_is_found_before_it_is_opened(dataset, tmp_path):
    write_hdf5(dataset, tmp_path / "out.h5")
    content = bytearray((tmp_path / "out.h5").read_bytes())
    for place in range(0, len(content) - 60, len(content) // 20):
        content[place] ^= 1
        (tmp_path / "out.h5").write_bytes(content)
        with pytest.raises(DataError, match=r"out.h5` is damaged: its digest is not that of when it was written"):
            read_hdf5(tmp_path / "out.h5")
        content[place] ^= 1
    (tmp_path / "out.h5").write_bytes(content[:-54])
    xr.testing.assert_identical(read_hdf5(tmp_path / "out.h5"), dataset.drop_encoding())


def test_a_length_of_text_beyond_all_reason_is_refused(tmp_path, records):
    records["kernel"] = np.array(["gaussian", "power"], h5py.string_dtype())
    place = records["kernel"].id.get_offset()
    records.close()
    content = bytearray((tmp_path / "own.h5").read_bytes())
    content[place : place + 4] = b"\xff\xff\xff\xff"
    (tmp_path / "own.h5").write_bytes(content)
    with pytest.raises(DataError, match=r"own.h5` is damaged or not HDF5: "):
        read_hdf5(tmp_path / "own.h5")


@pytest.fixture
def records(tmp_path):
    """An HDF5 file with the records of a data set alone, open to be spoilt."""
    with h5py.File(tmp_path / "own.h5", "w") as file:
        for name in ("m_real", "m_imag", "m_z"):
            file[name] = np.ones((2, 301))
        yield file


def test_hdf5_without_dimensions_is_refused(tmp_path, records):
    records.close()
    with pytest.raises(
        DataError, match=r"own.h5` has m along .*, but a data set has it along curve and time \(in HDF5, dim"
    ):
        read_hdf5(tmp_path / "own.h5")


def external_storage(file, folder):
    file.create_dataset("m_z", (2, 301), "f8", external=[(str(folder / "secret"), 0, 2 * 301 * 8)])


def virtual_data(file, folder):
    layout = h5py.VirtualLayout((2, 301), "f8")
    layout[:] = h5py.VirtualSource(str(folder / "other.h5"), "m_z", (2, 301))
    file.create_virtual_dataset("m_z", layout)


def external_link(file, folder):
    file["m_z"] = h5py.ExternalLink(str(folder / "other.h5"), "m_z")


def soft_link(file, folder):
    file["other"] = h5py.ExternalLink(str(folder / "other.h5"), "/")
    file["m_z"] = h5py.SoftLink("/other/m_z")


def absurd_shape(file, folder):
    file.create_dataset("m_z", (10**6, 10**6), "f8", chunks=(1, 1000))


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (external_storage, "`m_z` is kept in another file, but only arrays of the file itself are read"),
        (virtual_data, "`m_z` is kept in another file"),
        (external_link, "`m_z` is a link"),
        (soft_link, "`m_z` is a link"),
        (lambda file, _: file.create_group("m_z"), "`m_z` is no array"),
        (absurd_shape, r"says that it holds 8e\+12 bytes, but has \d+: it is damaged"),
        (lambda file, _: file.create_dataset("m_z", data=np.ones(5)), "own.h5`"),
        (lambda file, _: file.create_dataset("m_z", data=np.full((2, 301), b"text")), "own.h5`"),
    ],
)
def test_nothing_outside_an_hdf5_file_is_read(tmp_path, records, spoil, sentence):
    (tmp_path / "secret").write_bytes(b"s" * 5000)
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["m_z"] = np.ones((2, 301))
    del records["m_z"]
    spoil(records, tmp_path)
    records.close()
    with pytest.raises(DataError, match=sentence):
        read_hdf5(tmp_path / "own.h5")


def test_hdf5_is_not_begun_where_it_may_not_end(dataset, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=100))
    with pytest.raises(
        DataError, match=r"There may be no room to write `.*a.h5`, which takes up to .* MB where 0.0001 MB"
    ):
        write_hdf5(dataset, tmp_path / "a.h5")
    assert not list(tmp_path.iterdir())


def test_hdf5_that_asks_for_more_than_it_is_worth_is_refused(tmp_path, records, monkeypatch):
    records.close()
    monkeypatch.setattr(hdf5_file, "_BYTES", 2**20)  # less than any process needs
    monkeypatch.setattr(hdf5_file, "_FEW_BYTES", 0)
    with pytest.raises(DataError, match=r"File `.*own.h5` is damaged or not HDF5: "):
        read_hdf5(tmp_path / "own.h5")


@pytest.mark.parametrize("read", [read_csv, read_hdf5])
def test_a_device_or_a_pipe_is_not_opened(tmp_path, read):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "attributes.json").symlink_to("/dev/zero")
    with pytest.raises(DataError, match=r"must be a file|cannot be read"):
        read(tmp_path if read is read_csv else tmp_path / "pipe")
