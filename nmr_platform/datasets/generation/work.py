"""What a worker does: make one shard, from nothing or from what there is."""

import time
from pathlib import Path
from typing import NamedTuple

from nmr_platform.datasets.generation.curves import Failure, Map, Row, simulate_rows
from nmr_platform.datasets.generation.shards import Shard, ShardContent, read_shard, write_shard
from nmr_platform.datasets.recipe.recipe import Recipe
from nmr_platform.errors import DataError
from nmr_platform.progress import Advance, no_progress

__all__ = ["ShardReport", "ShardTask", "make_shard"]


class ShardTask(NamedTuple):
    """One shard to make; small, for it travels to the worker.

    Attributes:
        recipe: Of the data set.
        digest: Identity of the curves as the sender computes it.
        shard: Which curves.
        folder: Where the shard's file goes; workers on other machines must see the same folder.
    """

    recipe: Recipe
    digest: str
    shard: Shard
    folder: Path


class ShardReport(NamedTuple):
    """What a worker did; small, for the curves themselves stay in the shard's file.

    Attributes:
        shard: Which curves.
        n_simulated: Curves simulated now, failed ones included.
        n_failed: Curves of the shard that could not be simulated.
        seconds: Wall time.
    """

    shard: Shard
    n_simulated: int
    n_failed: int
    seconds: float


def make_shard(task: ShardTask, *, map_: Map = map, progress: Advance = no_progress) -> ShardReport:
    """Simulate the curves of a shard that no earlier file has, and write the shard.

    Args:
        task: Which shard.
        map_: How to run the curves.
        progress: Called with the number of curves finished.

    Raises:
        DataError: The worker's engine is not the sender's, or the disk is full.
    """
    started = time.perf_counter()
    if task.recipe.curve_digest != task.digest:
        message = (
            f"Worker and sender must have the same version of nmr_platform, but compute the identities "
            f"{task.recipe.curve_digest} and {task.digest} for one data set."
        )
        raise DataError(message)
    rows, failures = _known(task.shard, task.folder)
    done = {row.number for row in rows} | {failure.curve for failure in failures}
    missing = [number for number in range(*task.shard) if number not in done]
    progress(len(done))
    new_rows, new_failures = simulate_rows(task.recipe, missing, map_=map_, progress=progress)
    rows = sorted([*rows, *new_rows], key=lambda row: row.number)
    failures = sorted([*failures, *new_failures], key=lambda failure: failure.curve)
    write_shard(task.shard.path(task.folder), ShardContent.of(rows, failures))
    return ShardReport(task.shard, len(missing), len(failures), time.perf_counter() - started)


def _known(shard: Shard, folder: Path) -> tuple[list[Row], list[Failure]]:
    """Curves of the shard in the file of a smaller or larger data set."""
    rows: dict[int, Row] = {}
    failures: dict[int, Failure] = {}
    for path in shard.related(folder):
        try:
            content = read_shard(path)
        except DataError:
            continue
        rows |= {row.number: row for row in content.rows() if row.number < shard.stop}
        failures |= {failure.curve: failure for failure in content.failures if failure.curve < shard.stop}
    return list(rows.values()), list(failures.values())
