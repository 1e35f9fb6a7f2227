"""Data sets at rest: xarray on Zarr, published whole or not at all."""

import os
import shutil
from pathlib import Path

import xarray as xr

from nmr_platform.errors import DataError

__all__ = ["FORMAT_VERSION", "load", "publish"]

# Raised whenever a reader of the previous layout would misread a new one.
FORMAT_VERSION = 1


def load(path: str | Path) -> xr.Dataset:
    """Open a data set lazily.

    Args:
        path: Folder of the Zarr store.

    Returns:
        Variables ``m`` (curve, time), complex64, and ``m_z`` (curve, time), float32; coordinate ``time`` in us, and
        one coordinate along ``curve`` for every parameter (units in their attributes); recipe and digest as
        attributes.

    Raises:
        DataError: There is no data set, or it is of another format version.
    """
    path = Path(path)
    if not (path / ".zmetadata").exists():
        message = f"Data set `{path}` does not exist or is not a data set; make it with `dvc repro simulate`."
        raise DataError(message, path=path)
    dataset = xr.open_zarr(path, chunks=None)
    found = dataset.attrs.get("format_version")
    if found != FORMAT_VERSION:
        message = (
            f"Data set `{path}` has format version {found}, but this version of nmr_platform reads version "
            f"{FORMAT_VERSION}; make it again with `dvc repro --force simulate`."
        )
        raise DataError(message, path=path)
    return dataset


def publish(dataset: xr.Dataset, path: Path, *, chunk: int) -> None:
    """Write a data set and let it appear at ``path`` by one atomic rename.

    Args:
        dataset: What to write.
        path: Where it appears; what was there before is replaced.
        chunk: Curves in a chunk.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    staging = path.with_name(f".{path.name}.{os.getpid()}")
    shutil.rmtree(staging, ignore_errors=True)
    encoding = {name: {"chunks": (chunk, dataset.sizes["time"])} for name in dataset.data_vars}
    dataset.attrs = {"format_version": FORMAT_VERSION, **dataset.attrs}
    dataset.to_zarr(staging, mode="w", encoding=encoding, zarr_format=2, consolidated=True)
    if path.exists():
        shutil.rmtree(path)
    staging.rename(path)
