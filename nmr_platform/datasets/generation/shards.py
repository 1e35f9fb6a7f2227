"""Where finished curves wait for their data set: a Zarr store outside it, which workers fill shard by shard.

A shard is some tens of curves, one worker's task and one chunk of each array: ``m`` and ``m_z``, in a folder for each
record if there are several, and ``curve``, a text a curve with its coordinates or with why it failed, empty as long as
it is not finished. Each chunk is followed by its CRC32C, and a text knows the checksum of its curve's records: three
files cannot change in one go.
"""

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from pathlib import Path
from typing import Any, NamedTuple

import google_crc32c
import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.codecs import Crc32cCodec

from nmr_platform.datasets.chunks import chunk_fault
from nmr_platform.datasets.generation.curves import Failure, Finished, Map, attempt_curves, coordinates_of
from nmr_platform.datasets.recipe.recipe import Recipe
from nmr_platform.datasets.store import RECORDS, Stored, arrays_of, open_lazily
from nmr_platform.errors import DataError
from nmr_platform.files import refusal_explained
from nmr_platform.progress import Advance, no_progress

__all__ = ["SHARD_SIZE", "Shard", "ShardReport", "ShardTask", "Shards", "make_shard", "shards_of"]

SHARD_SIZE = 50
"""Curves in a shard: a few seconds of work, so that a kill loses little."""

_TEXTS = "curve"


class Shard(NamedTuple):
    """A range of curves.

    Attributes:
        start: Number of the first curve, a multiple of `SHARD_SIZE`.
        stop: One past the last; the chunks of a shard have room for `SHARD_SIZE` curves however many are wanted.
    """

    start: int
    stop: int

    @property
    def size(self) -> int:
        """Number of curves."""
        return self.stop - self.start


def shards_of(n_curves: int) -> list[Shard]:
    """The shards of a data set in order; the last may be smaller."""
    return [Shard(start, min(start + SHARD_SIZE, n_curves)) for start in range(0, n_curves, SHARD_SIZE)]


class Shards:
    """The finished curves of one recipe, however many of them a data set wants.

    Args:
        folder: Of the Zarr store, which is there; workers on other machines must see the same folder.

    Raises:
        DataError: There is no such store.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            group = zarr.open_group(folder, mode="r+", zarr_format=3)
            names: Any = group.attrs["record_names"]
            self._records = [*arrays_of(names)]
            self._arrays: dict[str, Any] = {name: group[name] for name in (*self._records, _TEXTS)}
        except (FileNotFoundError, KeyError) as error:
            message = f"Folder `{folder}` must be one that all workers share, but holds no shards on this machine."
            raise DataError(message, path=folder) from error

    @classmethod
    def opened(cls, folder: Path, recipe: Recipe) -> "Shards":
        """Open or make the store of a recipe, with room for all of its curves.

        Args:
            folder: Where; it is there, and belongs to curves of this recipe alone.
            recipe: Of the data set.
        """
        n_curves = -(-recipe.n_curves // SHARD_SIZE) * SHARD_SIZE
        layouts: dict[str, tuple[tuple[int, ...], Any]] = {
            path: ((recipe.examples[name].n_samples,), RECORDS[variable])
            for path, (name, variable) in arrays_of(recipe.record_names).items()
        }
        layouts[_TEXTS] = (), "string"
        # Metadata follows from the recipe: written anew, it is whole, and chunks beyond its end wait for a longer set.
        for metadata in ("zarr.json", *(f"{name}/zarr.json" for name in layouts)):
            (folder / metadata).unlink(missing_ok=True)
        with refusal_explained(f"shards in `{folder}`"):
            attributes = {"recipe": recipe.model_dump(mode="json"), "record_names": [*recipe.record_names]}
            group = zarr.create_group(folder, zarr_format=3, attributes=attributes)
            for name, (rest, dtype) in layouts.items():
                group.create_array(
                    name,
                    shape=(n_curves, *rest),
                    chunks=(SHARD_SIZE, *rest),
                    dtype=dtype,
                    compressors=(Crc32cCodec(),),
                    config={"write_empty_chunks": True},
                )
        return cls(folder)

    def texts(self, shard: Shard) -> list[dict[str, Any]]:
        """What is known of each curve of a shard: ``coordinates`` and ``seal``, or ``failure``, or nothing yet.

        Raises:
            DataError: The texts are damaged.
        """
        if not self._file(_TEXTS, shard.start).exists():
            return [{} for _ in range(shard.size)]
        return [json.loads(text) if text else {} for text in self._read(_TEXTS, shard.start)[: shard.size].tolist()]

    def records(self, numbers: NDArray[np.int64], seals: NDArray[np.uint32]) -> dict[str, NDArray[Any]]:
        """Records of finished curves.

        Args:
            numbers: Which curves, ascending, shape (n,).
            seals: What their texts say that the records' checksums are, shape (n,).

        Returns:
            The arrays of `arrays_of`, dimensionless, each of shape (n, T).

        Raises:
            DataError: A chunk is damaged or missing, or holds other records.
        """
        starts = numbers // SHARD_SIZE * SHARD_SIZE
        held = {
            name: np.concatenate([self._read(name, at)[numbers[starts == at] - at] for at in np.unique(starts)])
            for name in self._records
        }
        for number, seal, *rows in zip(numbers, seals, *held.values(), strict=True):
            if _seal(rows) != seal:
                file = self._file(self._records[0], int(number))
                raise self._unusable(file, f"does not hold the record of curve {number}")
        return held

    def add(self, shard: Shard, outcomes: Sequence[Finished | Failure]) -> None:
        """Write curves of a shard beside those that it holds.

        Args:
            shard: Which shard; nobody else writes it.
            outcomes: Curves of it, finished or failed.

        Raises:
            DataError: The disk is full.
        """
        there = self._file(_TEXTS, shard.start).exists()
        held = {
            name: self._read(name, shard.start)
            if there
            else np.full((SHARD_SIZE, *array.shape[1:]), array.fill_value, array.dtype)
            for name, array in self._arrays.items()
        }
        for outcome in outcomes:
            if isinstance(outcome, Finished):
                place = outcome.number - shard.start
                for name in self._records:
                    held[name][place] = outcome.records[name]
                seal = _seal(outcome.records[name] for name in self._records)
                text = {"coordinates": outcome.coordinates, "seal": seal}
                held[_TEXTS][place] = json.dumps(text)
            else:
                held[_TEXTS][outcome.curve - shard.start] = json.dumps({"failure": outcome._asdict()})
        with refusal_explained(f"curves {shard.start} to {shard.stop - 1} into `{self.folder}`"):
            for name, values in held.items():
                self._arrays[name][shard.start : shard.start + SHARD_SIZE] = values

    def remove_damaged(self, wanted: Sequence[Shard]) -> Iterator[str]:
        """Remove what killed runs began to write and what is damaged; yield a sentence for each damaged shard."""
        for unfinished in self.folder.rglob("*.partial"):
            unfinished.unlink(missing_ok=True)
        for shard in wanted:
            try:
                finished = {
                    number: text["seal"]
                    for number, text in enumerate(self.texts(shard), start=shard.start)
                    if "seal" in text
                }
                if finished:
                    self.records(np.array([*finished]), np.array([*finished.values()], np.uint32))
            except DataError as error:
                yield str(error)
                for name in self._arrays:
                    self._file(name, shard.start).unlink(missing_ok=True)

    def take_over(self, recipe: Recipe, path: Path) -> None:
        """Take curves that are missing here from a published data set, so that it can be extended or repaired.

        A data set comes without its shards by `dvc pull`. Parameters are drawn anew, which costs little; only the
        records are read, and damaged ones are left out.

        Args:
            recipe: Of the data set to make.
            path: Where an earlier one may lie, of the same recipe but perhaps other length.
        """
        try:
            stored = open_lazily(path)
            if stored.whole.attrs["curve_digest"] != recipe.curve_digest:
                return
            present = stored.whole["curve"].to_numpy()
            failures = [Failure(**each) for each in json.loads(stored.whole.attrs["failures"])]
        except (DataError, KeyError):
            return
        for shard in shards_of(min(recipe.n_curves, int(present.max()) + 1)):
            missing = {shard.start + place for place, text in enumerate(self.texts(shard)) if not text}
            if missing:
                positions = np.flatnonzero(np.isin(present, list(missing)))
                outcomes: list[Finished | Failure] = [each for each in failures if each.curve in missing]
                outcomes += _published(recipe, stored, positions)
                if outcomes:
                    self.add(shard, outcomes)

    def _file(self, name: str, number: int) -> Path:
        """The file of an array's chunk that holds the curve ``number``."""
        key = f"{name}/c/{number // SHARD_SIZE}"
        return self.folder / (key if name == _TEXTS else f"{key}/0")

    def _read(self, name: str, start: int) -> NDArray[Any]:
        """The chunk of an array that begins with the curve ``start``, shape (SHARD_SIZE, ...)."""
        file = self._file(name, start)
        fault = chunk_fault(file.read_bytes()) if file.exists() else "is missing"
        if fault:
            raise self._unusable(file, fault)
        return np.asarray(self._arrays[name][start : start + SHARD_SIZE])

    def _unusable(self, file: Path, fault: str) -> DataError:
        message = (
            f"Chunk `{file}` {fault}; the same command again makes this shard anew, and only it. If a worker has just "
            "written it, the folder of the shards must be one that all workers share."
        )
        return DataError(message, path=file)


class ShardTask(NamedTuple):
    """One shard to make; small, for it travels to the worker.

    Attributes:
        recipe: Of the data set.
        digest: Identity of the curves as the sender computes it.
        shard: Which curves.
        folder: Of the shards; workers on other machines must see the same folder.
    """

    recipe: Recipe
    digest: str
    shard: Shard
    folder: Path


class ShardReport(NamedTuple):
    """What a worker did; small, for the curves themselves stay in the store.

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
    """Simulate the curves that a shard still misses, and write it.

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
    shards = Shards(task.folder)
    texts = shards.texts(task.shard)
    missing = [task.shard.start + place for place, text in enumerate(texts) if not text]
    progress(task.shard.size - len(missing))
    outcomes = attempt_curves(task.recipe, missing, map_=map_, progress=progress)
    shards.add(task.shard, outcomes)
    n_failed = sum("failure" in text for text in texts) + sum(isinstance(each, Failure) for each in outcomes)
    return ShardReport(task.shard, len(missing), n_failed, time.perf_counter() - started)


def _published(recipe: Recipe, stored: Stored, positions: NDArray[np.intp]) -> Iterator[Finished]:
    """Curves of a data set, as if they had just been simulated; none if their records are damaged."""
    try:
        held = {
            path: stored.records[name][variable].isel(curve=positions).to_numpy()
            for path, (name, variable) in arrays_of(stored.records).items()
        }
    except DataError:
        return
    for i, number in enumerate(stored.whole["curve"].to_numpy()[positions].tolist()):
        records = {path: values[i] for path, values in held.items()}
        yield Finished(number, records, coordinates_of(recipe, recipe.curve(number)))


def _seal(rows: Iterable[NDArray[Any]]) -> int:
    """Checksum of a curve's records."""
    return reduce(lambda checksum, row: int(google_crc32c.extend(checksum, row.tobytes())), rows, 0)
