"""Data sets at rest: written whole, opened with one line, checked as they are read."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import google_crc32c
import numpy as np
import pandas as pd
import xarray as xr
import zarr
from numpy.typing import NDArray
from zarr.codecs import BloscCodec, Crc32cCodec
from zarr.storage import LocalStore, WrapperStore

from nmr_platform.datasets.metadata import FORMAT_VERSION, SEAL, require_metadata, seal, unreadable
from nmr_platform.datasets.recipe.recipe import Recipe
from nmr_platform.errors import ConfigurationError, DataError
from nmr_platform.files import staged_folder
from nmr_platform.schema import validate
from nmr_platform.simulation import ENGINE_VERSION

if TYPE_CHECKING:
    from zarr.abc.store import ByteRequest
    from zarr.core.buffer import Buffer, BufferPrototype

__all__ = [
    "RECORDS",
    "check_target",
    "chunk_fault",
    "damaged_chunk",
    "dvc_digest",
    "labels_of",
    "load",
    "open_lazily",
    "publish",
    "recipe_of",
    "write",
]

RECORDS = {"m": np.dtype(np.complex64), "m_z": np.dtype(np.float32)}
"""The variables along curve and time."""

_MEANINGS = {"m": "<Ix> + i <Iy>", "m_z": "<Iz>"}
_CHECKSUM_SIZE = 4


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
    require_metadata(path)
    try:
        files = _CheckedStore(LocalStore(path, read_only=True))
        dataset = xr.open_zarr(files, chunks=None, consolidated=False, zarr_format=3)
        # Zarr lists the arrays of a group as it finds them.
        names = dataset.attrs.pop("variables")
        dataset.attrs.pop(SEAL, None)
        return dataset.reset_coords(set(names) - {*RECORDS, *dataset.dims})[names].set_coords({*names} - {*RECORDS})
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


def publish(dataset: xr.Dataset, path: Path, *, chunk: int = 500) -> None:
    """Write a data set that is in memory and let it appear at ``path`` by one rename.

    Args:
        dataset: As `load` gives it.
        path: Where it appears; what was there before is replaced.
        chunk: Curves in a chunk.

    Raises:
        DataError: There is something else at ``path``, or the disk is full.
    """
    records = {name: dataset[name].to_numpy().astype(dtype, copy=False) for name, dtype in RECORDS.items()}
    blocks = (
        {name: values[first : first + chunk] for name, values in records.items()}
        for first in range(0, dataset.sizes["curve"], chunk)
    )
    write(path, dataset.drop_vars(RECORDS), blocks, chunk=chunk)


def write(path: Path, coordinates: xr.Dataset, blocks: Iterable[Mapping[str, NDArray[Any]]], *, chunk: int) -> None:
    """Write a data set chunk by chunk and let it appear at ``path`` by one rename.

    The same content gives the same bytes: they hold no time and no host.

    Args:
        path: Where it appears; what was there before is replaced.
        coordinates: Coordinates and attributes, with dimensions ``curve`` and ``time``.
        blocks: ``m`` and ``m_z`` of ``chunk`` curves after the other, dimensionless, each of shape (chunk, T); the
            last may be shorter.
        chunk: Curves in a chunk.

    Raises:
        DataError: There is something else at ``path``, or the disk is full.
    """
    check_target(path)
    with staged_folder(path, what=f"data set `{path}`") as staging:
        _write_coordinates(coordinates, staging)
        arrays = _create_records(staging, (coordinates.sizes["curve"], coordinates.sizes["time"]), chunk)
        first = 0
        for block in blocks:
            last = first + len(block["m"])
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


def chunk_fault(content: bytes) -> str:
    """What is wrong with the bytes of a chunk, which end in their CRC32C; empty if nothing is."""
    body, checksum = content[:-_CHECKSUM_SIZE], content[-_CHECKSUM_SIZE:]
    if len(content) > _CHECKSUM_SIZE and google_crc32c.value(body) == int.from_bytes(checksum, "little"):
        return ""
    return "is damaged (checksum)"


def damaged_chunk(root: Path, key: str, fault: str) -> DataError:
    """The error for a chunk that cannot be used.

    Args:
        root: Folder of the data set.
        key: Of the chunk, for instance ``m/c/3/0``.
        fault: What is wrong with it, see `chunk_fault`.
    """
    name, _, number, *_ = key.split("/")
    described = json.loads((root / name / "zarr.json").read_text(encoding="utf-8"))
    size, chunk = described["shape"][0], described["chunk_grid"]["configuration"]["chunk_shape"][0]
    first = int(number) * chunk
    message = (
        f"Chunk `{key}` (rows {first} to {min(first + chunk, size) - 1}) of data set `{root}` {fault}; "
        f"`nmr generate --repair --out {root}` makes it anew, and only it."
    )
    return DataError(message, path=root / key)


class _CheckedStore(WrapperStore[LocalStore]):
    """The files of one data set, each checked as it is read.

    Zarr takes a missing chunk for one full of zeros; here, where every chunk is written, it is an error like a
    damaged one.
    """

    async def get(
        self, key: str, prototype: "BufferPrototype", byte_range: "ByteRequest | None" = None
    ) -> "Buffer | None":
        value = await super().get(key, prototype, byte_range)
        if "/c/" in key:
            fault = "is missing" if value is None else chunk_fault(value.to_bytes())
            if fault:
                raise damaged_chunk(self._store.root, key, fault)
        return value


def _write_coordinates(dataset: xr.Dataset, staging: Path) -> None:
    """Write the coordinates and attributes of a data set, each coordinate as one chunk."""
    coordinates = dataset.drop_encoding()
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


def _create_records(staging: Path, shape: tuple[int, int], chunk: int) -> dict[str, Any]:
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
