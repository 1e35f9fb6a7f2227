"""Data sets as one HDF5 file that any netCDF-4 or HDF5 reader opens."""

import hashlib
import shutil
from collections.abc import Hashable, Mapping
from math import prod
from pathlib import Path
from typing import Any, Literal

import h5py
import numpy as np
import xarray as xr

from nmr_platform.datasets import by_name
from nmr_platform.errors import DataError
from nmr_platform.exchange.curves.layout import BLOCK, checked, joined
from nmr_platform.exchange.format import Format
from nmr_platform.exchange.hdf5_file import ANY_SIZE, DAMAGES, damaged, elsewhere, most_held, own_item, try_to_read
from nmr_platform.exchange.tables import check_file
from nmr_platform.files import staged_file
from nmr_platform.progress import Advance, no_progress

__all__ = ["FORMAT", "read_hdf5", "records_in_hdf5", "write_hdf5"]

_PARTS = ("m_real", "m_imag")
_NAMES = "record_names"
_MARK = b"sha256 of all before: "
_SEALED = len(_MARK) + hashlib.sha256().digest_size
_PIECE = 2**24
# What describes the arrays of a file.
_BESIDE = 2**20


def write_hdf5(
    records: xr.Dataset | Mapping[str, xr.Dataset], path: str | Path, *, progress: Advance = no_progress
) -> None:
    """Write a data set as HDF5, compressed without loss.

    M is split into ``m_real`` and ``m_imag``, as neither HDF5 nor netCDF has complex numbers that all readers know;
    units, recipe and everything else of the data set are kept. What follows the last byte of the HDF5 file, which HDF5
    does not look at, is the digest of all before it.

    Args:
        records: Curves in the store's layout; several records by name, each of which goes to a group of its name.
        path: The file; it must not exist.
        progress: Called with the number of curves of each record, when it is written.

    Raises:
        DataError: The file exists, or there may be no room for it.
    """
    held = by_name(records)
    _require_room(Path(path), sum(dataset.nbytes for dataset in held.values()))
    with staged_file(Path(path), replace=False) as staging:
        for name, dataset in held.items():
            split, encoding = _split(dataset)
            mode: Literal["a", "w"] = "a" if staging.exists() else "w"
            split.to_netcdf(staging, mode=mode, group=name or None, engine="h5netcdf", encoding=encoding)
            progress(dataset.sizes["curve"])
        if "" not in held:
            with h5py.File(staging, "r+") as file:
                file.attrs[_NAMES] = [*held]
        with staging.open("ab") as file:
            file.write(_seal(staging, staging.stat().st_size))


def _require_room(path: Path, size: int) -> None:
    """Refuse to begin where it may not end: on a full disk HDF5 can neither close a file nor give it up."""
    free = shutil.disk_usage(next(folder for folder in path.absolute().parents if folder.exists())).free
    if free < size + _BESIDE:
        message = (
            f"There may be no room to write `{path}`, which takes up to {(size + _BESIDE) / 1e6:.3g} MB where "
            f"{free / 1e6:.3g} MB are free; make some and run the same command again."
        )
        raise DataError(message, path=path)


def _split(dataset: xr.Dataset) -> tuple[xr.Dataset, dict[Hashable, dict[str, Any]]]:
    """A data set in two real parts, and how its variables are stored."""
    split = dataset.drop_encoding().chunk(curve=BLOCK)
    m = split["m"]
    for part, values in zip(_PARTS, (m.real, m.imag), strict=True):
        split[part] = values.assign_attrs(m.attrs)
    split = split.drop_vars("m")
    # HDF5 has no truth values.
    split.attrs = {key: int(value) if isinstance(value, bool) else value for key, value in dataset.attrs.items()}
    chunks = (min(BLOCK, dataset.sizes["curve"]), dataset.sizes["time"])
    return split, {name: {"zlib": True, "shuffle": True, "chunksizes": chunks} for name in split.data_vars}


def records_in_hdf5(path: Path) -> tuple[str, ...]:
    """Names of the records that `write_hdf5` wrote; the empty text for an only one.

    Raises:
        DataError: The file is missing, damaged, or holds something else.
    """
    _checked_size(path)
    try:
        with h5py.File(path) as file:
            return _names(file, path)
    except DAMAGES as error:
        raise damaged(path, error) from error


def read_hdf5(path: str | Path, *, record: str = "") -> xr.Dataset:
    """Read what `write_hdf5` wrote, to the same bits.

    Args:
        path: The file; nothing but what is in it is read, so that links and external or virtual data are refused.
        record: Name of one of several records.

    Returns:
        The data set, in memory.

    Raises:
        DataError: The file is missing, damaged, or holds something else.
    """
    path = Path(path)
    size = _checked_size(path)
    try:
        with h5py.File(path) as file:
            names = _names(file, path)
            if record not in names:
                message = f"File `{path}` has the records {', '.join(names)}, but {record!r} is asked for."
                raise DataError(message, path=path)
            _check_contents(file[record or "/"], path, size)
        with xr.open_dataset(path, engine="h5netcdf", phony_dims="access", group=record or None) as opened:
            dataset = opened.load()
        m = joined(*(dataset[part].to_numpy() for part in _PARTS))
    except DAMAGES as error:
        raise damaged(path, error) from error
    real = dataset["m_real"]
    whole = dataset.drop_vars(_PARTS).assign(m=(real.dims, m, real.attrs)).drop_encoding()
    text = {
        name: values.astype(str).assign_attrs(values.attrs)
        for name, values in whole.coords.items()
        if values.dtype.kind in "OT"
    }
    return checked(whole.assign_coords(text)[["m", "m_z"]], path)


def _checked_size(path: Path) -> int:
    """Size of a file that can be opened, bytes."""
    size = check_file(path, most=ANY_SIZE)
    if not _check_seal(path, size):
        try_to_read(path, size)
    return size


def _names(file: h5py.File, path: Path) -> tuple[str, ...]:
    """Names of the records, of which each is a group of the file itself."""
    if _NAMES not in file.attrs:
        return ("",)
    names = tuple(map(str, np.ravel(file.attrs[_NAMES])))
    for name in names:
        if not isinstance(file.get(name, getlink=True), h5py.HardLink) or not isinstance(file[name], h5py.Group):
            raise elsewhere(path, f"`{name}` is no group")
    return names


def _seal(path: Path, size: int) -> bytes:
    """The mark that ends a file of ours, with the digest of its first ``size`` bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for start in range(0, size, _PIECE):
            digest.update(file.read(min(_PIECE, size - start)))
    return _MARK + digest.digest()


def _check_seal(path: Path, size: int) -> bool:
    """Refuse a changed byte before HDF5 sees it, which may ask for any time and memory then; say if there is a mark."""
    start = max(0, size - _SEALED)
    with path.open("rb") as file:
        file.seek(start)
        seal = file.read()
    if seal.startswith(_MARK) and seal != _seal(path, start):
        message = f"File `{path}` is damaged: its digest is not that of when it was written."
        raise DataError(message, path=path)
    return seal.startswith(_MARK)


def _check_contents(file: h5py.Group, path: Path, size: int) -> None:
    """Refuse a file without the records, one whose values lie elsewhere, and one that would not fit the memory."""
    missing = {*_PARTS, "m_z"} - set(file)
    if missing:
        message = f"File `{path}` has no `{min(missing)}`, but a data set in HDF5 has m_real, m_imag and m_z."
        raise DataError(message, path=path)
    held = _attribute_bytes(file)
    for name in file:
        item = own_item(file, name, path)
        if not isinstance(item, h5py.Dataset):
            raise elsewhere(path, f"`{name}` is no array")
        # A whole chunk is held in memory, however little of it is asked for.
        held += max(item.nbytes, prod(item.chunks or ()) * item.dtype.itemsize) + _attribute_bytes(item)
        held += _text_bytes(item, path)
    if held > most_held(size):
        message = f"File `{path}` says that it holds {held:g} bytes, but has {size}: it is damaged."
        raise DataError(message, path=path)


def _text_bytes(item: h5py.Dataset, path: Path) -> int:
    """What the texts of an array say that they hold: as much is taken from the memory before they are read."""
    information, place = h5py.check_string_dtype(item.dtype), item.id.get_offset()
    if information is None or information.length is not None or place is None:
        return 0
    # Each begins with its length, and goes on with the place of its letters.
    fields = item.id.get_storage_size() // 4
    lengths = np.fromfile(path, "<u4", count=fields, offset=place).reshape(item.size, -1)[:, 0]
    return int(lengths.sum(dtype=np.int64))


def _attribute_bytes(item: h5py.HLObject) -> int:
    """What the attributes say that they hold."""
    attributes = [item.attrs.get_id(name) for name in item.attrs]
    return sum(prod(attribute.shape) * attribute.dtype.itemsize for attribute in attributes)


FORMAT = Format(
    "hdf5", "one HDF5 (netCDF-4) file", read_hdf5, write_hdf5, records_in_hdf5, suffixes=(".h5", ".hdf5", ".nc")
)
