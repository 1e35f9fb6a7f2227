"""Shards made by the workers of a Dask cluster, on this machine, at an address, or in the jobs of a SLURM queue."""

from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager
from itertools import islice
from typing import Any

from nmr_platform.datasets.generation.executors.settings import DaskSettings, SlurmSettings
from nmr_platform.datasets.generation.work import ShardReport, ShardTask, make_shard
from nmr_platform.errors import DataError
from nmr_platform.progress import Advance

__all__ = ["DaskExecutor", "SlurmExecutor", "slurm_cluster"]

# Tasks that wait at the scheduler beside two for every worker thread: few enough to keep it small.
_WAITING = 64
# The usual port of the dashboard may be taken, by another run for instance.
_ANY_PORT = ":0"


class DaskExecutor:
    """Workers of a Dask cluster; it retries the shards of workers that are lost.

    Args:
        settings: Where the cluster is.
    """

    def __init__(self, settings: DaskSettings) -> None:
        self._settings = settings

    def run(self, tasks: Sequence[ShardTask], progress: Advance) -> Generator[ShardReport, None, None]:
        """See `Executor`.

        Raises:
            DataError: A shard's workers were lost again and again.
        """
        from distributed import Client, LocalCluster  # noqa: PLC0415

        if self._settings.address is not None:
            with _connected(Client, self._settings.address) as client:
                yield from _run(client, tasks, progress)
            return
        with (
            LocalCluster(
                n_workers=self._settings.workers, threads_per_worker=1, dashboard_address=_ANY_PORT
            ) as cluster,
            Client(cluster) as client,
        ):
            yield from _run(client, tasks, progress)


class SlurmExecutor:
    """Workers in the jobs of a SLURM queue.

    Args:
        settings: What to ask of the queue.
    """

    def __init__(self, settings: SlurmSettings) -> None:
        self._settings = settings

    def run(self, tasks: Sequence[ShardTask], progress: Advance) -> Generator[ShardReport, None, None]:
        """See `Executor`.

        Raises:
            DataError: A shard's workers were lost again and again.
        """
        from distributed import Client  # noqa: PLC0415

        with slurm_cluster(self._settings) as cluster, Client(cluster) as client:
            # Not `scale`: it does not replace jobs that reach their time limit.
            cluster.adapt(minimum_jobs=self._settings.jobs, maximum_jobs=self._settings.jobs)
            yield from _run(client, tasks, progress)


def slurm_cluster(settings: SlurmSettings) -> Any:
    """A dask-jobqueue cluster that has not submitted anything yet; its ``job_script()`` shows what it would."""
    from dask_jobqueue import SLURMCluster  # noqa: PLC0415

    return SLURMCluster(
        queue=settings.queue,
        account=settings.account,
        cores=settings.cores,
        processes=settings.processes,
        memory=settings.memory,
        walltime=settings.walltime,
        job_extra_directives=list(settings.directives),
        job_script_prologue=list(settings.prologue),
        python=settings.python,
        interface=settings.interface,
        log_directory=settings.log_directory,
        scheduler_options={"dashboard_address": _ANY_PORT},
    )


def _connected(client: Any, address: str) -> AbstractContextManager[Any]:
    try:
        return client(address)
    except (OSError, ValueError) as error:
        message = f"Key `executor.address` must be that of a running Dask scheduler, but {address} is not: {error}."
        raise DataError(message, path=address) from error


def _run(client: Any, tasks: Sequence[ShardTask], progress: Advance) -> Generator[ShardReport, None, None]:
    from distributed import as_completed  # noqa: PLC0415

    waiting = iter(tasks)
    running: set[Any] = set()
    completed = as_completed()

    def submit(n: int) -> None:
        futures = [client.submit(make_shard, task, pure=False) for task in islice(waiting, max(n, 0))]
        running.update(futures)
        completed.update(futures)

    submit(_WAITING)
    try:
        for future in completed:
            running.discard(future)
            report = _result(future)
            submit(_WAITING + 2 * sum(client.nthreads().values()) - len(running))
            progress(report.shard.size)
            yield report
    finally:
        client.cancel(list(running))


def _result(future: Any) -> ShardReport:
    from distributed import KilledWorker  # noqa: PLC0415

    try:
        return future.result()
    except KilledWorker as error:
        message = (
            f"A shard was given up after its workers were lost again and again ({error}); if they ran out of memory, "
            "give them more or fewer threads. The same command again continues."
        )
        raise DataError(message) from error
