"""Data sets at rest: opened with one line, checked as they are read."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from zarr.storage import LocalStore

from nmr_platform.datasets.chunks import CheckedStore
from nmr_platform.datasets.metadata import SEAL, require_metadata, unreadable
from nmr_platform.datasets.recipe.recipe import Recipe
from nmr_platform.errors import ConfigurationError, DataError
from nmr_platform.schema import validate
from nmr_platform.simulation import ENGINE_VERSION

__all__ = [
    "RECORDS",
    "WHOLE",
    "Stored",
    "arrays_of",
    "by_name",
    "dvc_digest",
    "labels_of",
    "load",
    "load_records",
    "open_lazily",
    "recipe_of",
]

RECORDS = {"m": np.dtype(np.complex64), "m_z": np.dtype(np.float32)}
"""The variables along curve and time, of every record."""


WHOLE = "whole_"
"""What the attributes of one of several records begin with that are of all records together."""


class Stored(NamedTuple):
    """A data set on disk of which nothing is read yet that a damaged chunk could prevent from being read.

    Attributes:
        whole: Coordinates along ``curve``, and attributes of the data set.
        records: What `load` gives, by the record's name, in order.
    """

    whole: xr.Dataset
    records: dict[str, xr.Dataset]


def arrays_of(record_names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Arrays that hold the records of a data set: path in its folder -> name of the record, and variable.

    Example:
        >>> arrays_of([""])
        {'m': ('', 'm'), 'm_z': ('', 'm_z')}
        >>> [*arrays_of(["short", "long"])]
        ['short/m', 'short/m_z', 'long/m', 'long/m_z']
    """
    return {
        (f"{name}/{variable}" if name else variable): (name, variable) for name in record_names for variable in RECORDS
    }


def by_name(records: xr.Dataset | Mapping[str, xr.Dataset]) -> Mapping[str, xr.Dataset]:
    """Records by name; the only one of a data set has the empty text for a name."""
    return {"": records} if isinstance(records, xr.Dataset) else records


def load(path: str | Path, record: str | None = None) -> xr.Dataset:
    """Open a data set; records are read when they are needed, and every chunk is checked as it is read.

    Args:
        path: Folder of the Zarr store.
        record: Which record of a data set whose curves have several, by its name.

    Returns:
        Variables ``m`` (curve, time), complex64, and ``m_z`` (curve, time), float32; coordinate ``time`` in us, and
        one coordinate along ``curve`` for every parameter (units in their attributes); recipe and digest as
        attributes. Of several records those of the one asked for, whose name is the attribute ``record``; recipe and
        digest are that record's, and those of all records together ``whole_recipe`` and ``whole_digest``.

    Raises:
        ConfigurationError: There is no such record, or there are several and none is asked for.
        DataError: There is no data set, or it is damaged or of another format version; reading its values raises the
            same for a damaged chunk.

    Examples:
        >>> from tempfile import TemporaryDirectory
        >>> from nmr_platform.datasets import generate, load, read_preset
        >>> recipe = read_preset("tiny").recipe("gaussian").replace(n_curves=3)
        >>> with TemporaryDirectory() as folder:
        ...     made = generate(recipe, Path(folder) / "gaussian.zarr", shard_folder=Path(folder) / "shards")
        ...     dataset = load(made.path).load()
        >>> dataset["m"].dims, str(dataset["m"].dtype), dataset["W"].attrs["units"]
        (('curve', 'time'), 'complex64', 'MHz')
    """
    records = open_lazily(Path(path)).records
    if record is None and len(records) > 1:
        message = f"Data set `{path}` has the records {', '.join(records)}: one of them must be asked for by its name."
        raise ConfigurationError(message, key="record")
    name = next(iter(records)) if record is None else record
    if name not in records:
        known = f"one of {', '.join(records)}" if "" not in records else "left out, for the data set has one record"
        message = f"Argument `record` must be {known}, but is {name!r}."
        raise ConfigurationError(message, key="record", value=name)
    return _with_fixed_text(records[name])


def load_records(path: str | Path) -> dict[str, xr.Dataset]:
    """Open every record of a data set.

    Args:
        path: Folder of the Zarr store.

    Returns:
        What `load` gives, by the record's name, in order; the empty text is the name of an only one.

    Raises:
        DataError: See `load`.
    """
    return {name: _with_fixed_text(dataset) for name, dataset in open_lazily(Path(path)).records.items()}


def open_lazily(path: Path) -> Stored:
    """Open a data set whatever its chunks hold.

    Raises:
        DataError: There is no data set, or its metadata is damaged or of another format version.
    """
    require_metadata(path)
    try:
        files = CheckedStore(LocalStore(path, read_only=True))
        whole = _opened(files, None)
        names = whole.attrs.pop("record_names", None)
        if names is None:
            return Stored(whole.drop_vars([*RECORDS, "time"]), {"": whole})
        return Stored(whole, {name: _of_record(files, name, whole) for name in names})
    except (ValueError, LookupError, TypeError, AttributeError, OSError, RecursionError, OverflowError) as error:
        raise unreadable(path, str(error)) from error


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
        raise unreadable(path, f"its recipe: {error}") from error
    if recipe.digest != dataset.attrs["digest"]:
        message = (
            f"Data set `{path}` was made by engine version {dataset.attrs['engine_version']} with identity "
            f"{dataset.attrs['digest']}, but this version ({ENGINE_VERSION}) would give it the identity "
            f"{recipe.digest}; make it again with the command that made it."
        )
        raise DataError(message, path=path)
    return recipe


def labels_of(dataset: xr.Dataset) -> pd.DataFrame:
    """One row a curve: its kernel, number, disorder and parameters.

    Args:
        dataset: What `load` returns.

    Returns:
        Columns ``kernel``, ``curve``, ``disorder`` and every parameter of the data set in its own unit.
    """
    names = [name for name, values in dataset.coords.items() if values.dims == ("curve",) and name != "curve"]
    table = pd.DataFrame({str(name): dataset[name].to_numpy() for name in names})
    table.insert(0, "curve", dataset["curve"].to_numpy())
    return table


def dvc_digest(path: Path) -> str:
    """Hash a data set as DVC does, so that what a run says can be found in ``dvc.lock`` and in a remote.

    It is computed from the files, and not read from ``dvc.lock``, which may be about other files.

    Args:
        path: The data set's folder.

    Returns:
        MD5 over the list of its files and their MD5s, ending in ``.dir``: 36 characters.

    Raises:
        DataError: There is no such folder.
    """
    # DVC's libraries take most of a second to import.
    from dvc_data.hashfile.build import build  # noqa: PLC0415
    from dvc_data.hashfile.db import HashFileDB  # noqa: PLC0415
    from dvc_objects.fs.local import LocalFileSystem  # noqa: PLC0415
    from dvc_objects.fs.memory import MemoryFileSystem  # noqa: PLC0415

    if not path.is_dir():
        message = f"Data set `{path}` does not exist."
        raise DataError(message, path=path)
    nowhere = HashFileDB(MemoryFileSystem(), "/")
    _, _, tree = build(nowhere, str(path), LocalFileSystem(), "md5", dry_run=True)
    return str(tree.hash_info.value)


def _opened(files: CheckedStore, group: str | None) -> xr.Dataset:
    """One group with its variables in the order in which they were written."""
    dataset = xr.open_zarr(files, group=group, chunks=None, consolidated=False, zarr_format=3)
    # Zarr lists the arrays of a group as it finds them.
    names = dataset.attrs.pop("variables")
    dataset.attrs.pop(SEAL, None)
    plain = dataset.reset_coords({*names} - {*RECORDS, *dataset.dims})
    return plain[names].set_coords({*names} - {*RECORDS})


def _of_record(files: CheckedStore, name: str, whole: xr.Dataset) -> xr.Dataset:
    """A record in a group of its own, in the layout of an only one."""
    own = _opened(files, name)
    curve, *others = whole.variables
    dataset = own.assign_coords(whole.coords)[[*RECORDS, curve, "time", *others]]
    shadowed = {f"{WHOLE}{key}": value for key, value in whole.attrs.items() if key in own.attrs}
    return dataset.assign_attrs({**whole.attrs, **own.attrs, **shadowed, "record": name})


def _with_fixed_text(dataset: xr.Dataset) -> xr.Dataset:
    """Pandas and HDF5 know text of fixed length only, Zarr of variable length only."""
    fixed = {
        name: (values.dims, np.array(values.to_numpy().tolist(), dtype=str), values.attrs)
        for name, values in dataset.coords.items()
        if values.dtype.kind == "T"
    }
    return dataset.assign_coords(fixed)
