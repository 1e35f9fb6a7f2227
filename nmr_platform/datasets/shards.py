"""Finished parts of a data set, kept outside the published one so that an interrupted run continues."""

import os
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nmr_platform.errors import DataError

__all__ = ["Shard", "read_shard", "shards_of", "write_shard"]


class Shard(NamedTuple):
    """A range of curves.

    Attributes:
        start: Number of the first curve.
        stop: One past the last.
    """

    start: int
    stop: int

    @property
    def size(self) -> int:
        """Number of curves."""
        return self.stop - self.start

    def path(self, folder: Path) -> Path:
        """The shard's file."""
        return folder / f"{self.start:07d}-{self.stop:07d}.npz"


def shards_of(n_curves: int, shard_size: int) -> Sequence[Shard]:
    """The shards of a data set in order; the last may be smaller."""
    return [Shard(start, min(start + shard_size, n_curves)) for start in range(0, n_curves, shard_size)]


def write_shard(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    """Write the arrays of one shard; the file appears by one atomic rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    staging = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with staging.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
            file.flush()
            os.fsync(file.fileno())
        staging.replace(path)
    finally:
        staging.unlink(missing_ok=True)


def read_shard(path: Path) -> dict[str, NDArray[Any]]:
    """Read a shard; the archive's own checksums are verified.

    Raises:
        DataError: The file is damaged.
    """
    try:
        with np.load(path) as archive:
            return {name: archive[name] for name in archive.files}
    except (zipfile.BadZipFile, ValueError, OSError, EOFError) as error:
        message = f"Shard `{path}` is damaged ({error}); delete it and run the same command again."
        raise DataError(message, path=path) from error
