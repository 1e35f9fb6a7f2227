"""Make the data set of a recipe: find what is there, have the rest simulated, publish the whole."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout

from nmr_platform.datasets.generation.adopt import adopt
from nmr_platform.datasets.generation.assemble import assemble, collect
from nmr_platform.datasets.generation.curves import Failure
from nmr_platform.datasets.generation.executors import Executor, make_executor
from nmr_platform.datasets.generation.progress import Outlook, Watcher
from nmr_platform.datasets.generation.shards import Shard, read_shard, shards_of
from nmr_platform.datasets.generation.work import ShardTask
from nmr_platform.datasets.recipe.recipe import Recipe
from nmr_platform.datasets.writing import check_target
from nmr_platform.errors import DataError

__all__ = ["Generated", "generate"]

_SHOWN = 3


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
    """
    check_target(path)
    acceptance = recipe.check_acceptance()
    folder = shard_folder.absolute() / recipe.curve_digest
    shards = shards_of(recipe.n_curves)
    with watcher or Watcher() as watching, _alone(folder):
        with watching.phase(f"{recipe.name}: checking what is there"):
            _clear(shards, folder, watching)
            adopt(recipe, path, folder)
        missing = [shard for shard in shards if not shard.path(folder).exists()]
        n_found = recipe.n_curves - sum(shard.size for shard in missing)
        example = recipe.example
        watching.begin(Outlook(recipe, n_found, example.lattice.size * example.n_samples, acceptance))
        n_simulated = _make(recipe, missing, folder, executor or make_executor(), watching)
        collected = collect(shards, folder)
        if collected.failures:
            watching.failed(collected.failures)
            if not drop_failed:
                raise _refusal(recipe, collected.failures, folder)
        with watching.phase(f"{recipe.name}: writing the data set"):
            assemble(recipe, shards, folder, collected, path)
    return Generated(path, recipe.digest, collected.n_curves, n_simulated, collected.acceptance, collected.failures)


def _make(recipe: Recipe, missing: list[Shard], folder: Path, executor: Executor, watching: Watcher) -> int:
    """Have the missing shards made; returns the number of curves simulated."""
    if not missing:
        return 0
    digest = recipe.curve_digest
    tasks = [ShardTask(recipe, digest, shard, folder) for shard in missing]
    n_simulated = 0
    with closing(executor.run(tasks, watching.advance)) as reports:
        for report in reports:
            n_simulated += report.n_simulated
            watching.shard(report)
    return n_simulated


def _clear(shards: list[Shard], folder: Path, watching: Watcher) -> None:
    """Remove what killed runs began to write, and damaged shards."""
    for unfinished in folder.glob(".*.npz.*"):
        unfinished.unlink(missing_ok=True)
    for shard in shards:
        path = shard.path(folder)
        if path.exists():
            try:
                read_shard(path)
            except DataError as error:
                watching.repairs(str(error))
                path.unlink()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other processes from making the same curves; the lock goes with the process, however it ends."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        message = f"Another process is making this data set (it holds `{folder / '.lock'}`); wait for it or stop it."
        raise DataError(message, path=folder) from error
    try:
        yield
    finally:
        lock.release()


def _refusal(recipe: Recipe, failures: tuple[Failure, ...], folder: Path) -> DataError:
    shown = "; ".join(str(failure) for failure in failures[:_SHOWN])
    more = f"; and {len(failures) - _SHOWN} more" if len(failures) > _SHOWN else ""
    message = (
        f"Data set `{recipe.name}` is not published, for {len(failures)} of {recipe.n_curves} curves could not be "
        f"simulated: {shown}{more}. The others are kept in `{folder}`; change the prior, or publish without the failed "
        "ones by `--drop-failed`."
    )
    return DataError(message, path=folder)
