"""Data sets as one HDF5 file that any netCDF-4 or HDF5 reader opens."""

from pathlib import Path

import numpy as np
import xarray as xr

from nmr_platform.errors import DataError
from nmr_platform.exchange.format import Format
from nmr_platform.exchange.layout import BLOCK
from nmr_platform.files import staged_file
from nmr_platform.progress import Advance, no_progress

__all__ = ["FORMAT", "read_hdf5", "write_hdf5"]

_PARTS = ("m_real", "m_imag")


def write_hdf5(dataset: xr.Dataset, path: str | Path, *, progress: Advance = no_progress) -> None:
    """Write a data set as HDF5, compressed without loss.

    M is split into ``m_real`` and ``m_imag``, as neither HDF5 nor netCDF has complex numbers that all readers know;
    units, recipe and everything else of the data set are kept.

    Args:
        dataset: Curves in the store's layout.
        path: The file; it must not exist.
        progress: Called once with the number of curves, when all are written.

    Raises:
        DataError: The file exists.
    """
    split = dataset.drop_encoding().chunk(curve=BLOCK)
    m = split["m"]
    for part, values in zip(_PARTS, (m.real, m.imag), strict=True):
        split[part] = values.assign_attrs(m.attrs)
    split = split.drop_vars("m")
    # HDF5 has no truth values.
    split.attrs = {key: int(value) if isinstance(value, bool) else value for key, value in dataset.attrs.items()}
    chunks = (min(BLOCK, dataset.sizes["curve"]), dataset.sizes["time"])
    encoding = {name: {"zlib": True, "shuffle": True, "chunksizes": chunks} for name in split.data_vars}
    with staged_file(Path(path), replace=False) as staging:
        split.to_netcdf(staging, engine="h5netcdf", encoding=encoding)
    progress(dataset.sizes["curve"])


def read_hdf5(path: str | Path) -> xr.Dataset:
    """Read what `write_hdf5` wrote, to the same bits.

    Args:
        path: The file.

    Returns:
        The data set, in memory.

    Raises:
        DataError: The file is missing, damaged, or holds something else.
    """
    try:
        with xr.open_dataset(Path(path), engine="h5netcdf") as opened:
            dataset = opened.load()
    except OSError as error:
        message = f"File `{path}` is missing or is not HDF5: {error}"
        raise DataError(message, path=path) from error
    missing = {*_PARTS, "m_z"} - set(dataset.data_vars)
    if missing:
        message = f"File `{path}` has no `{min(missing)}`, but a data set in HDF5 has m_real, m_imag and m_z."
        raise DataError(message, path=path)
    real = dataset["m_real"]
    m = np.empty(real.shape, np.complex64)
    m.real, m.imag = real.to_numpy(), dataset["m_imag"].to_numpy()
    joined = dataset.drop_vars(_PARTS).assign(m=(real.dims, m, real.attrs)).drop_encoding()
    text = {
        name: values.astype(str).assign_attrs(values.attrs)
        for name, values in joined.coords.items()
        if values.dtype.kind in "OT"
    }
    return joined.assign_coords(text)[["m", "m_z"]]


FORMAT = Format("hdf5", "one HDF5 (netCDF-4) file", read_hdf5, write_hdf5, suffixes=(".h5", ".hdf5", ".nc"))
