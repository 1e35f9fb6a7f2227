"""Is a data set what its recipe says? And if a part of it is damaged, make that part anew."""

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import joblib
import numpy as np
import xarray as xr

from nmr_platform.datasets.chunks import chunk_fault, damaged_chunk
from nmr_platform.datasets.generation.curves import Finished, attempt_curves
from nmr_platform.datasets.generation.executors import Executor
from nmr_platform.datasets.generation.generate import Generated, generate
from nmr_platform.datasets.generation.progress import Watcher
from nmr_platform.datasets.recipe.recipe import Recipe
from nmr_platform.datasets.store import arrays_of, load_records, open_lazily, recipe_of
from nmr_platform.errors import DataError
from nmr_platform.progress import Advance, no_progress

__all__ = ["Verified", "n_verified", "repair", "verify"]

_SHOWN = 10
_BATCH = 500


def n_verified(n_curves: int, fraction: float = 0.01) -> int:
    """How many curves `verify` simulates of a data set.

    Args:
        n_curves: Curves in it.
        fraction: Part of them to simulate, between 0 and 1; one curve at least.
    """
    return max(1, round(fraction * n_curves))


class Verified(NamedTuple):
    """What `verify` looked at.

    Attributes:
        path: Folder of the data set.
        curves: Numbers of the curves that were simulated again.
    """

    path: Path
    curves: tuple[int, ...]


def verify(path: Path, *, fraction: float = 0.01, seed: int | None = None, progress: Advance = no_progress) -> Verified:
    """Check all checksums, then simulate a random part of the curves again and compare them bit for bit.

    Args:
        path: Folder of the data set.
        fraction: Part of the curves to simulate, between 0 and 1; one curve at least.
        seed: Of the choice; another choice every time by default.
        progress: Called with the number of curves simulated.

    Raises:
        DataError: Chunks are damaged, or curves come out differently; both are named.
    """
    recipe = recipe_of(open_lazily(path).whole, path)
    damaged = [str(error) for error in _damage(path)]
    if damaged:
        raise DataError(" ".join(damaged[:_SHOWN]), path=path)
    records = load_records(path)
    numbers = next(iter(records.values()))["curve"].to_numpy()
    size = numbers.size
    chosen = np.random.default_rng(seed).choice(size, n_verified(size, fraction), replace=False)
    positions = sorted(int(i) for i in chosen)
    different = list(_different(recipe, records, positions, progress))
    if different:
        shown = ", ".join(map(str, different[:_SHOWN])) + (" ..." if len(different) > _SHOWN else "")
        message = (
            f"Data set `{path}`: of {len(positions)} curves simulated again {len(different)} differ from the stored "
            f"ones (curves {shown}): it was changed, or made on another kind of processor or with other libraries."
        )
        raise DataError(message, path=path)
    return Verified(path, tuple(int(number) for number in numbers[positions]))


def repair(
    path: Path, *, shard_folder: Path, executor: Executor | None = None, watcher: Watcher | None = None
) -> Generated:
    """Make the damaged parts of a data set anew from its own recipe; intact curves are taken as they are.

    Args:
        path: Folder of the data set.
        shard_folder: See `generate`.
        executor: See `generate`.
        watcher: See `generate`.

    Raises:
        DataError: Its metadata is damaged, too, or it was made by another version of the engine.
    """
    whole = open_lazily(path).whole
    recipe = recipe_of(whole, path)
    dropped = bool(json.loads(whole.attrs["failures"]))
    return generate(recipe, path, shard_folder=shard_folder, executor=executor, watcher=watcher, drop_failed=dropped)


def _damage(path: Path) -> Iterator[DataError]:
    """One error for each chunk that is damaged or missing, in a data set whose metadata is known to be sound."""
    for metadata in sorted(path.rglob("zarr.json")):
        described = json.loads(metadata.read_text(encoding="utf-8"))
        if described["node_type"] == "group":
            continue
        chunk = described["chunk_grid"]["configuration"]["chunk_shape"][0]
        for number in range(-(-described["shape"][0] // chunk)):
            key = f"{metadata.parent.relative_to(path).as_posix()}/c/{number}" + "/0" * (len(described["shape"]) - 1)
            file = path / key
            if fault := chunk_fault(file.read_bytes()) if file.exists() else "is missing":
                yield damaged_chunk(path, key, fault)


def _different(
    recipe: Recipe, records: Mapping[str, xr.Dataset], positions: list[int], progress: Advance
) -> Iterator[int]:
    """Numbers of the curves that come out differently, a batch of them in memory at a time."""
    with ThreadPoolExecutor(joblib.cpu_count()) as pool:
        for first in range(0, len(positions), _BATCH):
            batch = positions[first : first + _BATCH]
            stored = {name: dataset.isel(curve=batch).load() for name, dataset in records.items()}
            numbers = [int(number) for number in next(iter(stored.values()))["curve"]]
            outcomes = attempt_curves(recipe, numbers, map_=pool.map, progress=progress)
            for i, outcome in enumerate(outcomes):
                if not isinstance(outcome, Finished) or not _same(outcome, stored, i):
                    yield numbers[i]


def _same(curve: Finished, stored: Mapping[str, xr.Dataset], i: int) -> bool:
    records = all(
        curve.records[path].tobytes() == stored[name][variable][i].to_numpy().tobytes()
        for path, (name, variable) in arrays_of(stored).items()
    )
    coordinates = next(iter(stored.values()))
    return records and all(
        np.array_equal(value, coordinates[name][i].item(), equal_nan=isinstance(value, float))
        for name, value in curve.coordinates.items()
    )
