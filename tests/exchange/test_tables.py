"""CSV and HDF5: what is written is read back to the same bits."""

import h5py
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from nmr_platform.datasets import labels_of, load, publish
from nmr_platform.errors import DataError
from nmr_platform.exchange import read_csv, read_hdf5, write_csv, write_hdf5

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


def test_a_long_table_that_lost_its_end_is_refused(dataset, tmp_path):
    write_csv(dataset, tmp_path / "out")
    curves = tmp_path / "out" / "curves.csv"
    curves.write_text("\n".join(curves.read_text().splitlines()[:-3]))
    with pytest.raises(DataError, match=r"Folder `.*out` is not a complete data set in CSV: cannot reshape"):
        read_csv(tmp_path / "out")


def test_a_file_that_is_not_hdf5_is_refused(tmp_path):
    (tmp_path / "no.h5").write_text("no")
    with pytest.raises(DataError, match=r"File `.*no.h5` is missing or is not HDF5"):
        read_hdf5(tmp_path / "no.h5")


def test_hdf5_of_something_else_is_refused(tmp_path):
    xr.Dataset({"temperature": ("x", np.arange(3.0))}).to_netcdf(tmp_path / "other.h5", engine="h5netcdf")
    with pytest.raises(DataError, match=r"File `.*other.h5` has no `m_imag`"):
        read_hdf5(tmp_path / "other.h5")
