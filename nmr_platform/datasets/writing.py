"""How data sets are written: checked chunks, the same bytes every time, and all or nothing."""

from pathlib import Path
from typing import Any

import numcodecs.blosc
import numpy as np
import xarray as xr
import zarr
from zarr.codecs import BloscCodec, Crc32cCodec

from nmr_platform.errors import DataError

__all__ = ["FORMAT_VERSION", "RECORDS", "check_target", "create_records", "write_coordinates"]

FORMAT_VERSION = 2
"""Raised whenever a reader of the previous layout would misread a new one."""

RECORDS = {"m": np.dtype(np.complex64), "m_z": np.dtype(np.float32)}
"""The variables along curve and time."""

_MEANINGS = {"m": "<Ix> + i <Iy>", "m_z": "<Iz>"}


def check_target(path: Path) -> None:
    """Refuse to replace anything but a data set, before work is spent on it.

    Raises:
        DataError: There is something else at ``path``.
    """
    ours = any((path / name).exists() for name in ("zarr.json", ".zmetadata"))
    if path.exists() and not ours and (path.is_file() or any(path.iterdir())):
        message = f"`{path}` exists and is not a data set; remove it or choose another name."
        raise DataError(message, path=path)


def write_coordinates(dataset: xr.Dataset, staging: Path) -> None:
    """Write the coordinates and attributes of a data set, each coordinate as one chunk."""
    # Blosc's threads would append blocks in the order in which they finish.
    numcodecs.blosc.use_threads = False
    coordinates = dataset.drop_vars(RECORDS.keys() & dataset.variables.keys()).drop_encoding()
    for name, values in coordinates.coords.items():
        if values.dtype.kind in "UO":
            # Zarr 3 has no specification of fixed-length text.
            coordinates[name] = values.astype(np.dtypes.StringDType()).assign_attrs(values.attrs)
    names = [str(name) for name in coordinates.variables]
    coordinates.attrs = {**dataset.attrs, "format_version": FORMAT_VERSION, "variables": [*RECORDS, *names]}
    encoding = {
        name: {"chunks": (variable.size,), "compressors": _codecs()} for name, variable in coordinates.variables.items()
    }
    # Zarr leaves chunks of nothing but zeros or NaN out, which then look like lost ones.
    coordinates.to_zarr(
        staging, mode="w", encoding=encoding, zarr_format=3, consolidated=False, write_empty_chunks=True
    )


def create_records(staging: Path, shape: tuple[int, int], chunk: int) -> dict[str, Any]:
    """Create the empty Zarr arrays of `RECORDS`, shape (n_curves, T), ``chunk`` curves in a chunk."""
    group = zarr.open_group(staging, mode="r+", zarr_format=3)
    return {
        name: group.create_array(
            name,
            shape=shape,
            chunks=(min(chunk, shape[0]), shape[1]),
            dtype=dtype,
            compressors=_codecs(),
            dimension_names=("curve", "time"),
            attributes={"long_name": _MEANINGS[name]},
            config={"write_empty_chunks": True},
        )
        for name, dtype in RECORDS.items()
    }


def _codecs() -> tuple[Any, ...]:
    """Bit shuffling saves a fifth of the space of a noisy record; the checksum comes last, over the stored bytes."""
    return BloscCodec(cname="zstd", clevel=3, shuffle="bitshuffle", typesize=4), Crc32cCodec()
