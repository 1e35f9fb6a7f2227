"""Is a data set what its recipe says? And if a part of it is damaged, make that part anew."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import joblib
import numpy as np
import xarray as xr

from nmr_platform.datasets.checked import damage_of
from nmr_platform.datasets.generation.curves import Row, simulate_rows
from nmr_platform.datasets.generation.executors import Executor
from nmr_platform.datasets.generation.generate import Generated, generate
from nmr_platform.datasets.generation.progress import Watcher
from nmr_platform.datasets.recipe.recipe import Recipe
from nmr_platform.datasets.store import load, open_lazily, recipe_of
from nmr_platform.errors import DataError
from nmr_platform.progress import Advance, no_progress

__all__ = ["Verified", "n_verified", "repair", "verify"]

_SHOWN = 10
_BATCH = 500


def n_verified(n_curves: int, fraction: float = 0.01) -> int:
    """How many curves `verify` simulates of a data set of ``n_curves``."""
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
        fraction: Part of the curves to simulate; one at least.
        seed: Of the choice; another choice every time by default.
        progress: Called with the number of curves simulated.

    Raises:
        DataError: Chunks are damaged, or curves come out differently; both are named.
    """
    recipe = recipe_of(open_lazily(path), path)
    damaged = damage_of(path)
    if damaged:
        raise DataError(" ".join(damaged[:_SHOWN]), path=path)
    dataset = load(path)
    size = dataset.sizes["curve"]
    chosen = np.random.default_rng(seed).choice(size, n_verified(size, fraction), replace=False)
    positions = sorted(int(i) for i in chosen)
    different = list(_different(recipe, dataset, positions, progress))
    if different:
        shown = ", ".join(map(str, different[:_SHOWN])) + (" ..." if len(different) > _SHOWN else "")
        message = (
            f"Data set `{path}`: of {len(positions)} curves simulated again {len(different)} differ from the stored "
            f"ones (curves {shown}): it was changed, or made on another kind of processor or with other libraries."
        )
        raise DataError(message, path=path)
    return Verified(path, tuple(int(number) for number in dataset["curve"].to_numpy()[positions]))


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
    dataset = open_lazily(path)
    recipe = recipe_of(dataset, path)
    dropped = bool(json.loads(dataset.attrs["failures"]))
    return generate(recipe, path, shard_folder=shard_folder, executor=executor, watcher=watcher, drop_failed=dropped)


def _different(recipe: Recipe, dataset: xr.Dataset, positions: list[int], progress: Advance) -> Iterator[int]:
    """Numbers of the curves that come out differently, a batch of them in memory at a time."""
    with ThreadPoolExecutor(joblib.cpu_count()) as pool:
        for first in range(0, len(positions), _BATCH):
            stored = dataset.isel(curve=positions[first : first + _BATCH]).load()
            numbers = [int(number) for number in stored["curve"]]
            rows, _ = simulate_rows(recipe, numbers, map_=pool.map, progress=progress)
            found = {row.number: row for row in rows}
            for i, number in enumerate(numbers):
                if number not in found or not _same(found[number], stored.isel(curve=i)):
                    yield number


def _same(row: Row, stored: xr.Dataset) -> bool:
    records = (
        row.m.tobytes() == stored["m"].to_numpy().tobytes() and row.m_z.tobytes() == stored["m_z"].to_numpy().tobytes()
    )
    return records and all(
        np.array_equal(value, stored[name].item(), equal_nan=isinstance(value, float))
        for name, value in row.columns.items()
    )
