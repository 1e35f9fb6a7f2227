"""Data sets at rest: opened with one line, checked as they are read."""

import json
from pathlib import Path

import xarray as xr

from nmr_platform.datasets.checked import CheckedStore
from nmr_platform.datasets.columns import QUANTITIES
from nmr_platform.datasets.recipe import Recipe
from nmr_platform.errors import ConfigurationError, DataError
from nmr_platform.schema import validate
from nmr_platform.simulation import ENGINE_VERSION

__all__ = ["FORMAT_VERSION", "load", "recipe_of"]

# Raised whenever a reader of the previous layout would misread a new one.
FORMAT_VERSION = 2

_NEEDED = {"m", "m_z", "curve", "time", "kernel", "disorder", "seed", "n_draws", *QUANTITIES} - {"N"}


def load(path: str | Path) -> xr.Dataset:
    """Open a data set lazily; every chunk is checked against its checksum when it is read.

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
    path = Path(path)
    _check_format(path)
    try:
        return xr.open_zarr(CheckedStore.at(path), chunks=None, consolidated=False, zarr_format=3)
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise _unreadable(path, str(error)) from error


def recipe_of(dataset: xr.Dataset, path: Path) -> Recipe:
    """The recipe that a data set was made from.

    Args:
        dataset: What `load` returns.
        path: Where it lies, for messages.

    Raises:
        DataError: It was made by another version of the engine, which would give other numbers.
    """
    try:
        recipe = validate(Recipe, json.loads(dataset.attrs["recipe"]))
    except (ConfigurationError, ValueError, KeyError) as error:
        raise _unreadable(path, f"no recipe: {error}") from error
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
        what = (
            "is of an older format version" if (path / ".zmetadata").exists() else "does not exist or is not a data set"
        )
        message = f"Data set `{path}` {what}; make it with `dvc repro simulate` or `nmr generate`."
        raise DataError(message, path=path)
    try:
        found = json.loads((path / "zarr.json").read_text(encoding="utf-8"))["attributes"].get("format_version")
    except (ValueError, KeyError, AttributeError) as error:
        raise _unreadable(path, str(error)) from error
    if found != FORMAT_VERSION:
        message = (
            f"Data set `{path}` has format version {found}, but this version of nmr_platform reads version "
            f"{FORMAT_VERSION}; make it again with `dvc repro --force simulate` or `nmr generate`."
        )
        raise DataError(message, path=path)
    names = _NEEDED | {folder.name for folder in path.iterdir() if folder.is_dir()}
    lost = sorted(name for name in names if not (path / name / "zarr.json").exists())
    if lost:
        raise _unreadable(path, f"{', '.join(lost)} missing")


def _unreadable(path: Path, reason: str) -> DataError:
    message = f"Data set `{path}` has damaged metadata ({reason}); make it again with the command that made it."
    return DataError(message, path=path)
