"""From finished shards to one published data set, a chunk in memory at a time."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from nmr_platform.datasets.generation.curves import Failure
from nmr_platform.datasets.generation.shards import SHARD_SIZE, Shard, read_shard
from nmr_platform.datasets.quantities import attributes_of
from nmr_platform.datasets.recipe.recipe import Recipe
from nmr_platform.datasets.writing import RECORDS, create_records, write_coordinates
from nmr_platform.errors import DataError
from nmr_platform.files import staged_folder
from nmr_platform.simulation import ENGINE_VERSION

__all__ = ["Collected", "assemble", "collect"]

_CURVES_PER_CHUNK = 10 * SHARD_SIZE
_LARGEST_CHUNK = 2**25


@dataclass(frozen=True)
class Collected:
    """The coordinates of all finished curves, and the failures; records stay in the shards' files.

    Attributes:
        columns: One array a coordinate, and ``curve``, shape (n,).
        failures: Curves that could not be simulated.
    """

    columns: dict[str, NDArray[Any]]
    failures: tuple[Failure, ...]

    @property
    def n_curves(self) -> int:
        """Number of finished curves."""
        return self.columns["curve"].size

    @property
    def acceptance(self) -> float:
        """Fraction of the draws from the prior that met the constraints."""
        return self.n_curves / int(self.columns["n_draws"].sum())


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
            parts.append({name: values for name, values in content.arrays.items() if name not in RECORDS})
    if not parts:
        message = f"None of the {len(failures)} curves could be simulated; the first is {failures[0]}"
        raise DataError(message, path=folder)
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return Collected(columns, tuple(failures))


def assemble(recipe: Recipe, shards: Sequence[Shard], folder: Path, collected: Collected, path: Path) -> None:
    """Write a data set chunk by chunk and let it appear at ``path`` by one rename.

    The same recipe gives the same bytes: they hold no time and no host, and one thread compresses them.

    Args:
        recipe: Of the data set.
        shards: Its shards, in order.
        folder: Where their files are.
        collected: What `collect` found in them.
        path: Where the data set appears; what was there before is replaced.

    Raises:
        DataError: The disk is full.
    """
    shape = (collected.n_curves, recipe.example.n_samples)
    chunk = _curves_per_chunk(shape[1])
    with staged_folder(path, what=f"data set `{path}`") as staging:
        write_coordinates(_coordinates(recipe, collected), staging)
        arrays = create_records(staging, shape, chunk)
        first = 0
        for block in _blocks(shards, folder, chunk):
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
        waiting.append({name: arrays[name] for name in RECORDS})
        n_waiting += arrays["curve"].size
        if n_waiting >= size:
            joined = _joined(waiting)
            yield {name: values[:size] for name, values in joined.items()}
            waiting, n_waiting = [{name: values[size:] for name, values in joined.items()}], n_waiting - size
    if n_waiting:
        yield _joined(waiting)


def _joined(parts: Sequence[dict[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    return {name: np.concatenate([part[name] for part in parts]) for name in RECORDS}


def _coordinates(recipe: Recipe, collected: Collected) -> xr.Dataset:
    example = recipe.example
    columns = {
        name: ("curve", values, attributes_of(name, recipe.columns))
        for name, values in collected.columns.items()
        if name != "curve"
    }
    return xr.Dataset(
        coords={
            "curve": collected.columns["curve"],
            "time": ("time", example.time, {"units": "us"}),
            **columns,
        },
        attrs={
            "name": recipe.name,
            "digest": recipe.digest,
            "curve_digest": recipe.curve_digest,
            "engine_version": ENGINE_VERSION,
            "recipe": recipe.model_dump_json(),
            "acceptance": collected.acceptance,
            "echo_index": example.echo_indices[-1] if example.echo_indices else -1,
            "step": example.step * example.receiver.every,
            "failures": json.dumps([asdict(failure) for failure in collected.failures]),
        },
    )


def _curves_per_chunk(n_samples: int) -> int:
    """Hundreds of curves, whole shards, fewer where the records are very long."""
    bytes_per_shard = SHARD_SIZE * n_samples * RECORDS["m"].itemsize
    return max(SHARD_SIZE, min(_CURVES_PER_CHUNK, SHARD_SIZE * (_LARGEST_CHUNK // bytes_per_shard)))
