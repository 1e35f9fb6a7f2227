"""Curves of a published data set, taken back into shards: nothing that is on the disk is simulated again."""

from pathlib import Path

import numpy as np
import xarray as xr

from nmr_platform.datasets.generation.curves import row_of
from nmr_platform.datasets.generation.shards import Shard, ShardContent, shards_of, write_shard
from nmr_platform.datasets.recipe.recipe import Recipe
from nmr_platform.datasets.store import open_lazily
from nmr_platform.errors import DataError

__all__ = ["adopt"]


def adopt(recipe: Recipe, path: Path, folder: Path) -> None:
    """Write shards for the intact curves of the data set at ``path``, if it has this recipe's curves.

    So a data set that came without its shards (by `dvc pull`) can be extended or repaired. Parameters are drawn
    anew, which costs little; only the records are read.

    Args:
        recipe: Of the data set to make.
        path: Where an earlier one may lie, of the same recipe but perhaps other length.
        folder: Where shards go.
    """
    try:
        dataset = open_lazily(path)
        if dataset.attrs["curve_digest"] != recipe.curve_digest:
            return
        present = dataset["curve"].to_numpy()
    except (DataError, KeyError):
        return
    for shard in shards_of(int(present.max()) + 1):
        if _is_there(shard, folder) or shard.start >= recipe.n_curves:
            continue
        first = int(np.searchsorted(present, shard.start))
        if np.array_equal(present[first : first + shard.size], np.arange(*shard)):
            _write(recipe, shard, dataset.isel(curve=slice(first, first + shard.size)), folder)


def _is_there(shard: Shard, folder: Path) -> bool:
    return shard.path(folder).exists() or bool(shard.related(folder))


def _write(recipe: Recipe, shard: Shard, dataset: xr.Dataset, folder: Path) -> None:
    try:
        m, m_z = dataset["m"].to_numpy(), dataset["m_z"].to_numpy()
    except DataError:
        return
    curves = [recipe.curve(number) for number in range(*shard)]
    rows = [row_of(recipe, curve, m[i], m_z[i]) for i, curve in enumerate(curves)]
    write_shard(shard.path(folder), ShardContent.of(rows, ()))
