"""Finished parts of a data set, kept outside the published one so that an interrupted run continues."""

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from nmr_platform.datasets.generation.curves import Failure, Row
from nmr_platform.errors import DataError
from nmr_platform.files import staged_file

__all__ = ["SHARD_SIZE", "Shard", "ShardContent", "read_shard", "shards_of", "write_shard"]

SHARD_SIZE = 50
"""Curves in a shard: a few seconds of work, so that a kill loses little."""

_DIGEST_SIZE = hashlib.sha256().digest_size


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

    def related(self, folder: Path) -> list[Path]:
        """Files of the same curves, but fewer or more, from a smaller or larger data set of the same recipe."""
        return sorted(set(folder.glob(f"{self.start:07d}-*.npz")) - {self.path(folder)})


@dataclass(frozen=True)
class ShardContent:
    """The curves of a shard.

    Attributes:
        arrays: ``curve`` (their numbers), ``m``, ``m_z`` and the coordinates; one row a finished curve, in order.
        failures: Those that could not be simulated.
    """

    arrays: dict[str, NDArray[Any]]
    failures: tuple[Failure, ...]

    @classmethod
    def of(cls, rows: Sequence[Row], failures: Sequence[Failure]) -> Self:
        """Pack at least one finished curve, or none and failures only."""
        names = rows[0].columns if rows else {}
        arrays: dict[str, NDArray[Any]] = {
            "curve": np.array([row.number for row in rows], np.int64),
            "m": np.array([row.m for row in rows], np.complex64),
            "m_z": np.array([row.m_z for row in rows], np.float32),
            **{name: np.array([row.columns[name] for row in rows]) for name in names},
        }
        return cls(arrays, tuple(failures))

    def rows(self) -> list[Row]:
        """The finished curves one by one."""
        names = [name for name in self.arrays if name not in {"curve", "m", "m_z"}]
        return [
            Row(int(number), self.arrays["m"][i], self.arrays["m_z"][i], {name: self.arrays[name][i] for name in names})
            for i, number in enumerate(self.arrays["curve"])
        ]


def shards_of(n_curves: int, shard_size: int = SHARD_SIZE) -> list[Shard]:
    """The shards of a data set in order; the last may be smaller."""
    return [Shard(start, min(start + shard_size, n_curves)) for start in range(0, n_curves, shard_size)]


def write_shard(path: Path, content: ShardContent) -> None:
    """Write a shard; the file appears by one atomic rename, followed by its own SHA-256.

    Raises:
        DataError: The disk is full.
    """
    buffer = io.BytesIO()
    failures = np.array(json.dumps([asdict(failure) for failure in content.failures]))
    np.savez(buffer, allow_pickle=False, failures=failures, **content.arrays)
    data = buffer.getvalue()
    with staged_file(path, what=f"shard `{path}`") as staging, staging.open("wb") as file:
        # A reader of plain .npz files ignores what follows the archive.
        file.write(data + hashlib.sha256(data).digest())
        file.flush()
        os.fsync(file.fileno())


def read_shard(path: Path) -> ShardContent:
    """Read a shard and check it against its SHA-256.

    Raises:
        DataError: The file is missing or damaged.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        message = (
            f"Shard `{path}` cannot be read ({error.strerror}); if a worker wrote it, the folder of the shards must "
            "be one that all workers share. The same command again makes it."
        )
        raise DataError(message, path=path) from error
    archive, digest = data[:-_DIGEST_SIZE], data[-_DIGEST_SIZE:]
    if hashlib.sha256(archive).digest() != digest:
        message = f"Shard `{path}` is damaged (checksum); the same command again makes this shard anew, and only it."
        raise DataError(message, path=path)
    try:
        with np.load(io.BytesIO(archive)) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except (zipfile.BadZipFile, ValueError) as error:
        message = f"Shard `{path}` is of another version; delete it and run the same command again."
        raise DataError(message, path=path) from error
    failures = [Failure(**record) for record in json.loads(str(arrays.pop("failures")))]
    return ShardContent(arrays, tuple(failures))
