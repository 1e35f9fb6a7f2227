"""Data sets are written whole: in a folder aside, which appears by one rename."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr
from numpy.typing import NDArray
from zarr.codecs import BloscCodec, Crc32cCodec

from nmr_platform.datasets.metadata import FORMAT_VERSION, seal
from nmr_platform.datasets.store import RECORDS, WHOLE, arrays_of, by_name
from nmr_platform.errors import DataError
from nmr_platform.files import staged_folder

__all__ = ["check_target", "publish", "write"]

_MEANINGS = {"m": "<Ix> + i <Iy>", "m_z": "<Iz>"}


def publish(records: xr.Dataset | Mapping[str, xr.Dataset], path: Path, *, chunk: int = 500) -> None:
    """Write a data set that is in memory and let it appear at ``path`` by one rename.

    Args:
        records: As `load` or `load_records` gives it.
        path: Where it appears; what was there before is replaced.
        chunk: Curves in a chunk.

    Raises:
        DataError: There is something else at ``path``, or the disk is full.
    """
    held = by_name(records)
    arrays = {
        path: held[name][variable].to_numpy().astype(RECORDS[variable], copy=False)
        for path, (name, variable) in arrays_of(held).items()
    }
    first = next(iter(held.values()))
    blocks = (
        {path: values[start : start + chunk] for path, values in arrays.items()}
        for start in range(0, first.sizes["curve"], chunk)
    )
    write(path, {name: dataset.drop_vars(RECORDS) for name, dataset in held.items()}, blocks, chunk=chunk)


def write(
    path: Path,
    records: Mapping[str, xr.Dataset],
    blocks: Iterable[Mapping[str, NDArray[Any]]],
    *,
    chunk: int,
) -> None:
    """Write a data set chunk by chunk and let it appear at ``path`` by one rename.

    The same content gives the same bytes: they hold no time and no host.

    Args:
        path: Where it appears; what was there before is replaced.
        records: Coordinates and attributes of each record by its name, with dimensions ``curve`` and ``time``; the
            coordinates along ``curve`` are those of all.
        blocks: The arrays of `arrays_of` for ``chunk`` curves after the other, dimensionless, each of shape (chunk, T);
            the last may be shorter.
        chunk: Curves in a chunk.

    Raises:
        DataError: There is something else at ``path``, or the disk is full.
    """
    check_target(path)
    with staged_folder(path, what=f"data set `{path}`") as staging:
        _write_coordinates(records, staging)
        arrays = _create_arrays(records, staging, chunk)
        first = 0
        for block in blocks:
            last = first + len(next(iter(block.values())))
            for name, array in arrays.items():
                array[first:last] = block[name]
            first = last
        seal(staging)


def check_target(path: Path) -> None:
    """Refuse to replace anything but a data set, before anything is simulated for it.

    Raises:
        DataError: There is something else at ``path``.
    """
    ours = any((path / name).exists() for name in ("zarr.json", ".zmetadata"))
    if path.exists() and not ours and (path.is_file() or any(path.iterdir())):
        message = f"`{path}` exists and is not a data set; remove it or choose another name."
        raise DataError(message, path=path)


def _write_coordinates(records: Mapping[str, xr.Dataset], staging: Path) -> None:
    """Write the coordinates and attributes of a data set, in one group or in one for each record below the whole."""
    first = next(iter(records.values()))
    if "" in records:
        _write_group(first.assign_attrs(format_version=FORMAT_VERSION), staging, None, [*RECORDS])
        return
    shared = {
        key: value
        for key, value in first.attrs.items()
        if all(_has(each.attrs, key, value) for each in records.values())
    }
    of_all = {key.removeprefix(WHOLE): value for key, value in shared.items() if key.startswith(WHOLE)}
    whole = {key: value for key, value in shared.items() if not _is_made(key)} | of_all
    whole |= {"format_version": FORMAT_VERSION, "record_names": [*records]}
    _write_group(first.drop_vars("time").drop_attrs(deep=False).assign_attrs(whole), staging, None, [])
    for name, dataset in records.items():
        own = {key: value for key, value in dataset.attrs.items() if not (_is_made(key) or _has(whole, key, value))}
        _write_group(xr.Dataset(coords={"time": dataset["time"]}, attrs=own), staging, name, [*RECORDS])


def _is_made(key: Any) -> bool:
    """Whether `load` makes this attribute of one of several records."""
    return key == "record" or str(key).startswith(WHOLE)


def _has(attributes: Mapping[Any, Any], key: Any, value: Any) -> bool:
    return key in attributes and np.array_equal(attributes[key], value)


def _write_group(dataset: xr.Dataset, staging: Path, group: str | None, arrays: list[str]) -> None:
    """Write coordinates and attributes of one group, each coordinate as one chunk; ``arrays`` come before them."""
    coordinates = dataset.drop_encoding()
    for name, values in coordinates.coords.items():
        if values.dtype.kind in "UO":
            # Zarr 3 has no specification of fixed-length text.
            coordinates[name] = values.astype(np.dtypes.StringDType()).assign_attrs(values.attrs)
    names = [str(name) for name in coordinates.variables]
    coordinates.attrs = {**dataset.attrs, "variables": [*arrays, *names]}
    encoding = {
        name: {"chunks": (variable.size,), "compressors": _codecs()} for name, variable in coordinates.variables.items()
    }
    # Zarr leaves chunks of nothing but zeros or NaN out, which then look like lost ones.
    coordinates.to_zarr(
        staging, group=group, mode="w", encoding=encoding, zarr_format=3, consolidated=False, write_empty_chunks=True
    )


def _create_arrays(records: Mapping[str, xr.Dataset], staging: Path, chunk: int) -> dict[str, Any]:
    """Create the empty Zarr arrays of all records, shape (n_curves, T), ``chunk`` curves in a chunk."""
    group = zarr.open_group(staging, mode="r+", zarr_format=3)
    return {
        path: group.create_array(
            path,
            shape=(sizes["curve"], sizes["time"]),
            chunks=(min(chunk, sizes["curve"]), sizes["time"]),
            dtype=RECORDS[variable],
            compressors=_codecs(),
            dimension_names=("curve", "time"),
            attributes={"long_name": _MEANINGS[variable]},
            config={"write_empty_chunks": True},
        )
        for path, (name, variable) in arrays_of(records).items()
        for sizes in [records[name].sizes]
    }


def _codecs() -> tuple[Any, ...]:
    """Bit shuffling saves a fifth of the space of a noisy record; the checksum comes last, over the stored bytes."""
    return BloscCodec(cname="zstd", clevel=3, shuffle="bitshuffle", typesize=4), Crc32cCodec()
