"""Make the data set of a recipe: find what is there, have the rest simulated, publish the whole."""

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from nmr_platform.datasets.generation.curves import Failure
from nmr_platform.datasets.generation.executors import Executor, make_executor
from nmr_platform.datasets.generation.progress import Outlook, Watcher
from nmr_platform.datasets.generation.shards import SHARD_SIZE, Shard, Shards, ShardTask, shards_of
from nmr_platform.datasets.quantities import attributes_of
from nmr_platform.datasets.recipe.recipe import Recipe
from nmr_platform.datasets.store import RECORDS, WHOLE
from nmr_platform.datasets.writing import check_target, write
from nmr_platform.errors import DataError
from nmr_platform.files import alone
from nmr_platform.simulation import ENGINE_VERSION

__all__ = ["Generated", "generate"]

_SHOWN = 3
_CURVES_PER_CHUNK = 10 * SHARD_SIZE
_LARGEST_CHUNK = 2**25


class Generated(NamedTuple):
    """What `generate` did.

    Attributes:
        path: Folder of the data set.
        digest: Its identity.
        n_curves: Curves in it.
        n_simulated: Curves simulated now; the others were there from an earlier run.
        acceptance: Fraction of the draws from the prior that met the constraints.
        failures: Curves that could not be simulated and were left out.
    """

    path: Path
    digest: str
    n_curves: int
    n_simulated: int
    acceptance: float
    failures: tuple[Failure, ...]


def generate(
    recipe: Recipe,
    path: Path,
    *,
    shard_folder: Path,
    executor: Executor | None = None,
    watcher: Watcher | None = None,
    drop_failed: bool = False,
) -> Generated:
    """Make the data set of a recipe.

    Finished shards stay in ``shard_folder``, so a run that was interrupted continues, and a larger data set of the
    same recipe simulates only the new curves. A damaged shard is made anew. Curves that cannot be simulated do not
    stop the others, but then nothing is published unless ``drop_failed``: a data set with holes is a biased sample of
    its prior, and that is for a person to accept.

    Args:
        recipe: What to simulate.
        path: Where the data set appears, by one rename.
        shard_folder: Where finished shards are kept, in a folder named by the recipe; workers on other machines must
            see it too.
        executor: Who simulates; threads of this process by default.
        watcher: Sees the run.
        drop_failed: Publish without the curves that failed; they are listed in the attribute ``failures``.

    Raises:
        ConfigurationError: The prior hardly ever meets the constraints; before anything is simulated.
        DataError: Curves failed, the disk is full, there is something else at ``path``, or another process makes the
            same data set.

    Examples:
        >>> from tempfile import TemporaryDirectory
        >>> from nmr_platform.datasets import generate, read_preset
        >>> recipe = read_preset("tiny").recipe("gaussian").replace(n_curves=3)
        >>> with TemporaryDirectory() as folder:
        ...     made = generate(recipe, Path(folder) / "gaussian.zarr", shard_folder=Path(folder) / "shards")
        >>> made.n_curves, made.n_simulated, made.failures
        (3, 3, ())
    """
    check_target(path)
    acceptance = recipe.check_acceptance()
    folder = shard_folder.absolute() / recipe.curve_digest
    wanted = shards_of(recipe.n_curves)
    with watcher or Watcher() as seen, alone(folder / ".lock", "this data set"):
        with seen.phase(f"{recipe.name}: checking what is there"):
            shards = Shards.opened(folder, recipe)
            for sentence in shards.remove_damaged(wanted):
                seen.repairs(sentence)
            shards.take_over(recipe, path)
            missing = [shard for shard in wanted if not all(shards.texts(shard))]
        n_found = recipe.n_curves - sum(shard.size for shard in missing)
        n_samples = sum(example.n_samples for example in recipe.examples.values())
        seen.begin(Outlook(recipe, n_found, recipe.example.lattice.size * n_samples, acceptance))
        n_simulated = _make(recipe, missing, folder, executor or make_executor(), seen)
        made = _collect(recipe, shards, wanted)
        if made.failures:
            seen.failed(made.failures)
            if not drop_failed:
                raise _refusal(recipe, made.failures, folder)
        with seen.phase(f"{recipe.name}: writing the data set"):
            chunk = _curves_per_chunk(n_samples)
            write(path, made.records, _blocks(shards, made, chunk), chunk=chunk)
    n_curves, accepted = made.seals.size, made.acceptance
    return Generated(path, recipe.digest, n_curves, n_simulated, accepted, made.failures)


def _make(recipe: Recipe, missing: list[Shard], folder: Path, executor: Executor, seen: Watcher) -> int:
    """Have the missing shards made; returns the number of curves simulated."""
    if not missing:
        return 0
    digest = recipe.curve_digest
    tasks = [ShardTask(recipe, digest, shard, folder) for shard in missing]
    n_simulated = 0
    with closing(executor.run(tasks, seen.advance)) as reports:
        for report in reports:
            n_simulated += report.n_simulated
            seen.shard(report)
    return n_simulated


class _Collected(NamedTuple):
    """What is known of all curves of a data set while their records stay where they are.

    Attributes:
        numbers: Of the finished curves, shape (n,).
        records: Their coordinates and attributes, by record.
        acceptance: Fraction of the draws from the prior that met the constraints.
        seals: Checksums of their records, shape (n,).
        failures: The others.
    """

    numbers: NDArray[np.int64]
    records: dict[str, xr.Dataset]
    acceptance: float
    seals: NDArray[np.uint32]
    failures: tuple[Failure, ...]


def _collect(recipe: Recipe, shards: Shards, wanted: Sequence[Shard]) -> _Collected:
    """Read the texts of all shards.

    Raises:
        DataError: A shard is damaged or missing, or no curve was finished.
    """
    parts: list[dict[str, NDArray[Any]]] = []
    failures: list[Failure] = []
    for shard in wanted:
        finished = {}
        for number, text in enumerate(shards.texts(shard), start=shard.start):
            if not text:
                message = (
                    f"Curve {number} is missing from `{shards.folder}`; if a worker made it, the folder of the shards "
                    "must be one that all workers share. The same command again makes it."
                )
                raise DataError(message, path=shards.folder)
            if "failure" in text:
                failures.append(Failure(**text["failure"]))
            else:
                finished[number] = text
        if finished:
            columns = [text["coordinates"] for text in finished.values()]
            parts.append({name: np.array([each[name] for each in columns]) for name in columns[0]})
            parts[-1] |= {"curve": np.array([*finished]), "seal": np.array([t["seal"] for t in finished.values()])}
    if not parts:
        message = f"None of the {len(failures)} curves could be simulated; the first is {failures[0]}"
        raise DataError(message, path=shards.folder)
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    seals = whole.pop("seal").astype(np.uint32)
    numbers = whole.pop("curve")
    named = {name: ("curve", values, attributes_of(name, recipe.columns)) for name, values in whole.items()}
    acceptance = numbers.size / int(whole["n_draws"].sum())
    records = {
        name: xr.Dataset(
            coords={"curve": numbers, "time": ("time", example.time, {"units": "us"}), **named},
            attrs={
                **_identity(recipe, name),
                "acceptance": acceptance,
                "echo_index": example.echo_indices[-1] if example.echo_indices else -1,
                "step": example.step * example.receiver.every,
                "failures": json.dumps([failure._asdict() for failure in failures]),
            },
        )
        for name, example in recipe.examples.items()
    }
    return _Collected(numbers, records, acceptance, seals, tuple(failures))


def _identity(recipe: Recipe, record: str) -> dict[str, Any]:
    """Attributes that say what a record was made from, and what all records together, where there are several."""
    alone, whole = (
        {"digest": each.digest, "curve_digest": each.curve_digest, "recipe": each.model_dump_json()}
        for each in (recipe.of_record(record), recipe)
    )
    of_all = {f"{WHOLE}{key}": value for key, value in whole.items()} if record else {}
    own = {"digest": alone["digest"], "curve_digest": alone["curve_digest"]}
    return {"name": recipe.name, **own, "engine_version": ENGINE_VERSION, "recipe": alone["recipe"], **of_all}


def _blocks(shards: Shards, made: _Collected, size: int) -> Iterator[dict[str, NDArray[Any]]]:
    """The records of all finished curves in pieces of ``size`` curves; the last may be smaller."""
    for first in range(0, made.numbers.size, size):
        yield shards.records(made.numbers[first : first + size], made.seals[first : first + size])


def _curves_per_chunk(n_samples: int) -> int:
    """Hundreds of curves, whole shards, fewer where the records are very long."""
    bytes_per_shard = SHARD_SIZE * n_samples * RECORDS["m"].itemsize
    return max(SHARD_SIZE, min(_CURVES_PER_CHUNK, SHARD_SIZE * (_LARGEST_CHUNK // bytes_per_shard)))


def _refusal(recipe: Recipe, failures: tuple[Failure, ...], folder: Path) -> DataError:
    shown = "; ".join(str(failure) for failure in failures[:_SHOWN])
    more = f"; and {len(failures) - _SHOWN} more" if len(failures) > _SHOWN else ""
    message = (
        f"Data set `{recipe.name}` is not published, for {len(failures)} of {recipe.n_curves} curves could not be "
        f"simulated: {shown}{more}. The others are kept in `{folder}`; change the prior, or publish without the failed "
        "ones by `--drop-failed`."
    )
    return DataError(message, path=folder)
