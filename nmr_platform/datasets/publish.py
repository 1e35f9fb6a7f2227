"""From finished shards to one data set that appears whole or not at all."""

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numcodecs.blosc
import numpy as np
import xarray as xr
import zarr
from numpy.typing import NDArray
from zarr.codecs import BloscCodec, Crc32cCodec

from nmr_platform.datasets.columns import attributes_of
from nmr_platform.datasets.curves import Failure
from nmr_platform.datasets.disk import full_disk_explained
from nmr_platform.datasets.recipe import Recipe
from nmr_platform.datasets.shards import SHARD_SIZE, Shard, read_shard
from nmr_platform.datasets.store import FORMAT_VERSION
from nmr_platform.errors import DataError
from nmr_platform.simulation import ENGINE_VERSION

__all__ = ["Collected", "collect", "publish"]

_RECORDS = {"m": "<Ix> + i <Iy>", "m_z": "<Iz>"}
_DTYPES = {"m": np.complex64, "m_z": np.float32}
_CURVES_PER_CHUNK = 10 * SHARD_SIZE
_LARGEST_CHUNK = 2**25


class Collected:
    """The coordinates of all finished curves, and the failures; records stay in the shards' files.

    Attributes:
        columns: One array a coordinate, and ``curve``, shape (n,).
        failures: Curves that could not be simulated.
    """

    def __init__(self, columns: dict[str, NDArray[Any]], failures: tuple[Failure, ...]) -> None:
        self.columns = columns
        self.failures = failures

    @property
    def acceptance(self) -> float:
        """Fraction of the draws from the prior that met the constraints."""
        return self.columns["curve"].size / int(self.columns["n_draws"].sum())


def collect(shards: Sequence[Shard], folder: Path) -> Collected:
    """Read the coordinates of all shards, one shard at a time.

    Raises:
        DataError: A shard is damaged or missing, or no curve was finished.
    """
    parts: list[dict[str, NDArray[Any]]] = []
    failures: list[Failure] = []
    for shard in shards:
        content = read_shard(shard.path(folder))
        failures += content.failures
        if content.arrays["curve"].size:
            parts.append({name: values for name, values in content.arrays.items() if name not in _RECORDS})
    if not parts:
        message = f"None of the {len(failures)} curves could be simulated; the first is {failures[0]}"
        raise DataError(message, path=folder)
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return Collected(columns, tuple(failures))


def publish(recipe: Recipe, shards: Sequence[Shard], folder: Path, collected: Collected, path: Path) -> None:
    """Write a data set chunk by chunk and let it appear at ``path`` by one rename.

    The same recipe gives the same bytes: no time, no host name, and one thread to compress.

    Args:
        recipe: Of the data set.
        shards: Its shards, in order.
        folder: Where their files are.
        collected: What `collect` found in them.
        path: Where the data set appears; what was there before is replaced.

    Raises:
        DataError: The disk is full.
    """
    # Beside the destination, for a rename needs one file system; the name is fixed so that the next run clears it up.
    staging, old = (path.with_name(f".{path.name}.{part}") for part in ("partial", "old"))
    with full_disk_explained(f"data set `{path}`"):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            for left in (staging, old):
                shutil.rmtree(left, ignore_errors=True)
            _write(recipe, shards, folder, collected, staging)
            if path.exists():
                path.rename(old)
            staging.rename(path)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)


def _write(recipe: Recipe, shards: Sequence[Shard], folder: Path, collected: Collected, staging: Path) -> None:
    # Blosc's threads would append blocks in the order in which they finish.
    numcodecs.blosc.use_threads = False
    _write_coordinates(_coordinates(recipe, collected), staging)
    group = zarr.open_group(staging, mode="r+", zarr_format=3)
    shape = (collected.columns["curve"].size, recipe.example.n_samples)
    rows = _rows_per_chunk(shape[1])
    arrays = {
        name: group.create_array(
            name,
            shape=shape,
            chunks=(min(rows, shape[0]), shape[1]),
            dtype=_DTYPES[name],
            compressors=_codecs(),
            dimension_names=("curve", "time"),
            attributes={"long_name": meaning},
            # Zarr leaves chunks of zeros out, which then look like lost ones.
            config={"write_empty_chunks": True},
        )
        for name, meaning in _RECORDS.items()
    }
    first = 0
    for block in _blocks(shards, folder, rows):
        last = first + len(block["m"])
        for name, array in arrays.items():
            array[first:last] = block[name]
        first = last


def _blocks(shards: Sequence[Shard], folder: Path, size: int) -> Iterator[dict[str, NDArray[Any]]]:
    """The records of all finished curves in pieces of ``size`` curves; the last may be smaller."""
    waiting: list[dict[str, NDArray[Any]]] = []
    n_waiting = 0
    for shard in shards:
        arrays = read_shard(shard.path(folder)).arrays
        if not arrays["curve"].size:
            continue
        waiting.append({name: arrays[name] for name in _RECORDS})
        n_waiting += arrays["curve"].size
        if n_waiting >= size:
            joined = {name: np.concatenate([part[name] for part in waiting]) for name in _RECORDS}
            yield {name: values[:size] for name, values in joined.items()}
            waiting, n_waiting = [{name: values[size:] for name, values in joined.items()}], n_waiting - size
    if n_waiting:
        yield {name: np.concatenate([part[name] for part in waiting]) for name in _RECORDS}


def _coordinates(recipe: Recipe, collected: Collected) -> xr.Dataset:
    example = recipe.example
    columns = {
        # Zarr 3 has no specification of fixed-length text.
        name: values.astype(np.dtypes.StringDType()) if values.dtype.kind == "U" else values
        for name, values in collected.columns.items()
    }
    return xr.Dataset(
        coords={
            "curve": columns.pop("curve"),
            "time": ("time", example.time, {"units": "us"}),
            **{name: ("curve", values, attributes_of(name, recipe.columns)) for name, values in columns.items()},
        },
        attrs={
            "format_version": FORMAT_VERSION,
            "name": recipe.name,
            "digest": recipe.digest,
            "curve_digest": recipe.curve_digest,
            "engine_version": ENGINE_VERSION,
            "recipe": recipe.model_dump_json(),
            "acceptance": collected.acceptance,
            "echo_index": example.echo_indices[-1] if example.echo_indices else -1,
            "step": example.step,
            "failures": json.dumps([asdict(failure) for failure in collected.failures]),
        },
    )


def _write_coordinates(dataset: xr.Dataset, staging: Path) -> None:
    encoding = {
        name: {"chunks": (variable.size,), "compressors": _codecs()} for name, variable in dataset.variables.items()
    }
    dataset.to_zarr(staging, mode="w", encoding=encoding, zarr_format=3, consolidated=False, write_empty_chunks=True)


def _rows_per_chunk(n_samples: int) -> int:
    """Hundreds of curves, whole shards, fewer where the records are very long."""
    bytes_per_shard = SHARD_SIZE * n_samples * np.dtype(np.complex64).itemsize
    return max(SHARD_SIZE, min(_CURVES_PER_CHUNK, SHARD_SIZE * (_LARGEST_CHUNK // bytes_per_shard)))


def _codecs() -> tuple[Any, ...]:
    """Bit shuffling saves a fifth of the space of a noisy record; the checksum comes last, over the stored bytes."""
    return BloscCodec(cname="zstd", clevel=3, shuffle="bitshuffle", typesize=4), Crc32cCodec()
