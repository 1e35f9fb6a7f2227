"""Data sets at rest: written whole, opened with one line, checked as they are read."""

import json
from pathlib import Path

import numpy as np
import xarray as xr

from nmr_platform.datasets.checked import CheckedStore
from nmr_platform.datasets.recipe.recipe import Recipe
from nmr_platform.datasets.writing import (
    FORMAT_VERSION,
    RECORDS,
    check_target,
    create_records,
    write_coordinates,
)
from nmr_platform.errors import ConfigurationError, DataError
from nmr_platform.files import staged_folder
from nmr_platform.schema import validate
from nmr_platform.simulation import ENGINE_VERSION

__all__ = ["FORMAT_VERSION", "load", "open_lazily", "publish", "recipe_of"]


def load(path: str | Path) -> xr.Dataset:
    """Open a data set; records are read when they are needed, and every chunk is checked as it is read.

    Args:
        path: Folder of the Zarr store.

    Returns:
        Variables ``m`` (curve, time), complex64, and ``m_z`` (curve, time), float32; coordinate ``time`` in us, and
        one coordinate along ``curve`` for every parameter (units in their attributes); recipe and digest as
        attributes.

    Raises:
        DataError: There is no data set, or it is damaged or of another format version; reading its values raises the
            same for a damaged chunk.
    """
    dataset = open_lazily(Path(path))
    # Pandas and HDF5 know text of fixed length only, Zarr of variable length only.
    fixed = {
        name: (values.dims, np.array(values.to_numpy().tolist(), dtype=str), values.attrs)
        for name, values in dataset.coords.items()
        if values.dtype.kind == "T"
    }
    return dataset.assign_coords(fixed)


def open_lazily(path: Path) -> xr.Dataset:
    """The same, but nothing is read that a damaged chunk could prevent from being read.

    Raises:
        DataError: There is no data set, or its metadata is damaged or of another format version.
    """
    _check_format(path)
    try:
        found = xr.open_zarr(CheckedStore.at(path), chunks=None, consolidated=False, zarr_format=3)
        # Zarr lists the arrays of a group as it finds them.
        names = found.attrs.pop("variables")
        return found.reset_coords(set(names) - {*RECORDS, *found.dims})[names].set_coords(set(names) - {*RECORDS})
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise _unreadable(path, str(error)) from error


def publish(dataset: xr.Dataset, path: Path, *, chunk: int = 500) -> None:
    """Write a data set that is in memory and let it appear at ``path`` by one rename.

    Args:
        dataset: As `load` gives it.
        path: Where it appears; what was there before is replaced.
        chunk: Curves in a chunk.

    Raises:
        DataError: There is something else at ``path``, or the disk is full.
    """
    check_target(path)
    shape = (dataset.sizes["curve"], dataset.sizes["time"])
    with staged_folder(path, what=f"data set `{path}`") as staging:
        write_coordinates(dataset, staging)
        for name, array in create_records(staging, shape, chunk).items():
            array[:] = dataset[name].to_numpy().astype(RECORDS[name], copy=False)


def recipe_of(dataset: xr.Dataset, path: Path) -> Recipe:
    """The recipe that a data set was made from.

    Args:
        dataset: What `load` returns.
        path: Where it lies, for messages.

    Raises:
        DataError: It was not simulated here, or by another version of the engine, which would give other numbers.
    """
    if "recipe" not in dataset.attrs:
        message = f"Data set `{path}` has no recipe, for it was imported; it can be neither verified nor repaired."
        raise DataError(message, path=path)
    try:
        recipe = validate(Recipe, json.loads(dataset.attrs["recipe"]))
    except (ConfigurationError, ValueError) as error:
        raise _unreadable(path, f"its recipe: {error}") from error
    if recipe.digest != dataset.attrs["digest"]:
        message = (
            f"Data set `{path}` was made by engine version {dataset.attrs['engine_version']} with identity "
            f"{dataset.attrs['digest']}, but this version ({ENGINE_VERSION}) would give it the identity "
            f"{recipe.digest}; make it again with the command that made it."
        )
        raise DataError(message, path=path)
    return recipe


def _check_format(path: Path) -> None:
    """Refuse what is no data set of this version before Zarr stumbles over it."""
    if not (path / "zarr.json").exists():
        older = (path / ".zmetadata").exists()
        what = "is of an older format version" if older else "does not exist or is not a data set"
        message = f"Data set `{path}` {what}; make it with `dvc repro simulate` or `nmr generate`."
        raise DataError(message, path=path)
    try:
        attributes = json.loads((path / "zarr.json").read_text(encoding="utf-8"))["attributes"]
        found, names = attributes.get("format_version"), attributes.get("variables")
    except (ValueError, KeyError, AttributeError) as error:
        raise _unreadable(path, str(error)) from error
    if found != FORMAT_VERSION:
        message = (
            f"Data set `{path}` has format version {found}, but this version of nmr_platform reads version "
            f"{FORMAT_VERSION}; make it again with `dvc repro --force simulate` or `nmr generate`."
        )
        raise DataError(message, path=path)
    lost = [name for name in names or () if not (path / name / "zarr.json").exists()]
    if lost:
        raise _unreadable(path, f"{', '.join(lost)} missing")


def _unreadable(path: Path, reason: str) -> DataError:
    message = f"Data set `{path}` has damaged metadata ({reason}); make it again with the command that made it."
    return DataError(message, path=path)
