"""Who makes the shards: threads of this process, a Dask cluster, or the jobs of a SLURM queue. Same bits from all."""

import subprocess
from collections.abc import Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from itertools import islice
from typing import Annotated, Any, Literal, Protocol

import joblib
from pydantic import Field

from nmr_platform.datasets.generation.shards import SHARD_SIZE, ShardReport, ShardTask, make_shard
from nmr_platform.errors import ConfigurationError, DataError
from nmr_platform.progress import Advance
from nmr_platform.schema import Schema, validate
from nmr_platform.yaml_text import parse_yaml

__all__ = [
    "DaskExecutor",
    "DaskSettings",
    "Executor",
    "ExecutorSettings",
    "SlurmExecutor",
    "SlurmSettings",
    "ThreadsExecutor",
    "ThreadsSettings",
    "make_executor",
    "parse_executor",
    "slurm_cluster",
]

# Tasks that wait at the scheduler beside two for every worker thread: few enough to keep it small.
_WAITING = 64
# A controller that is down is asked again and again by SLURM itself.
_SLURM_SECONDS = 30.0
# Pages for this machine alone; their usual port may be taken, by another run for instance.
_ANY_PORT = "127.0.0.1:0"

_Lines = Annotated[tuple[str, ...], Field(strict=False)]


Workers = Annotated[int, Field(gt=0, le=10_000)]


class ThreadsSettings(Schema):
    """Threads of this process.

    Attributes:
        n: Curves simulated at the same time; null for one a core.
    """

    kind: Literal["threads"] = "threads"
    n: Workers | None = None


class DaskSettings(Schema):
    """A Dask cluster.

    Attributes:
        address: Of the scheduler, for instance tcp://host:8786; null for worker processes on this machine.
        workers: Processes on this machine, if ``address`` is null; null for one a core.
    """

    kind: Literal["dask"]
    address: str | None = None
    workers: Workers | None = None


class SlurmSettings(Schema):
    """Jobs of a SLURM queue; a job that ends, by its time limit for instance, is replaced while there is work.

    Attributes:
        queue: Partition; the cluster's default if null.
        account: Who pays, if the cluster asks.
        jobs: Number of jobs.
        cores: Cores of a job; every core makes a shard of its own.
        processes: Processes that share the cores of a job; one of many threads will do, for the engine releases the
            interpreter lock, but beyond some sixteen cores several draw parameters faster.
        memory: Of a job, for instance 4GB.
        walltime: Time limit of a job, HH:MM:SS.
        directives: Further lines for the head of the job script, without ``#SBATCH``, for instance --exclusive.
        prologue: Shell lines to run before the workers start, for instance to load modules.
        python: Interpreter on the nodes; this one if null.
        interface: Network interface that scheduler and workers talk over, for instance ib0.
        log_directory: Folder for the jobs' output.
    """

    kind: Literal["slurm"]
    queue: str | None = None
    account: str | None = None
    jobs: Workers = 1
    cores: Workers = 1
    processes: Workers = 1
    memory: str = "4GB"
    walltime: str = "01:00:00"
    directives: _Lines = ()
    prologue: _Lines = ()
    python: str | None = None
    interface: str | None = None
    log_directory: str | None = None


ExecutorSettings = Annotated[ThreadsSettings | DaskSettings | SlurmSettings, Field(discriminator="kind")]


class _Holder(Schema):
    executor: ExecutorSettings


def parse_executor(text: str) -> ExecutorSettings:
    """Read settings from one line of YAML, for instance ``{kind: dask, workers: 4}``.

    Raises:
        ConfigurationError: It is no YAML, or no executor.
    """
    try:
        values = parse_yaml(text)
    except ValueError as error:
        message = f"Argument `executor` must be YAML, for instance {{kind: dask, workers: 4}}, but {text!r} {error}."
        raise ConfigurationError(message, key="executor", value=text) from error
    return validate(_Holder, {"executor": values}).executor


class Executor(Protocol):
    """Runs `make_shard` on every task, each by one worker at a time; tests/datasets/executor_contract.py tests it."""

    def run(self, tasks: Sequence[ShardTask], progress: Advance) -> Generator[ShardReport, None, None]:
        """Make the shards.

        An error of one shard (a full disk) ends the run: shards that have not begun are cancelled, finished ones stay.
        So does closing the iterator. A curve that fails is no error; it is in the shard's report.

        Args:
            tasks: Which shards.
            progress: Called with the number of curves finished, after each curve or each shard.

        Yields:
            One report a shard as they finish, in any order.
        """
        ...


def make_executor(settings: ExecutorSettings | None = None) -> Executor:
    """The executor that ``settings`` ask for; threads by default."""
    match settings:
        case DaskSettings():
            return DaskExecutor(settings)
        case SlurmSettings():
            return SlurmExecutor(settings)
    return ThreadsExecutor(settings.n if settings else None)


class ThreadsExecutor:
    """Threads share the curves of one shard; the next shard begins while the last curves of one are finished.

    Args:
        n: Curves simulated at the same time; as many as this process may use cores by default.
    """

    def __init__(self, n: int | None = None) -> None:
        self.n = n or joblib.cpu_count()

    def run(self, tasks: Sequence[ShardTask], progress: Advance) -> Generator[ShardReport, None, None]:
        """See `Executor`."""
        at_once = 1 + -(-self.n // SHARD_SIZE)
        waiting = iter(tasks)
        with ThreadPoolExecutor(self.n) as curves, ThreadPoolExecutor(at_once) as shards:

            def begin(task: ShardTask) -> Future[ShardReport]:
                return shards.submit(make_shard, task, map_=curves.map, progress=progress)

            running = {begin(task) for task in islice(waiting, at_once)}
            try:
                while running:
                    finished, running = wait(running, return_when=FIRST_COMPLETED)
                    running |= {begin(task) for task in islice(waiting, len(finished))}
                    for future in finished:
                        yield future.result()
            finally:
                curves.shutdown(wait=False, cancel_futures=True)
                shards.shutdown(wait=False, cancel_futures=True)


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
            ConfigurationError: There is no SLURM here, or it does not take such jobs.
            DataError: A shard's workers were lost again and again.
        """
        from distributed import Client  # noqa: PLC0415

        with slurm_cluster(self._settings) as cluster, Client(cluster) as client:
            _require_acceptance(cluster.job_script())
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


def _require_acceptance(script: str) -> None:
    """Ask SLURM whether it would take a job; dask-jobqueue would try for ever.

    Raises:
        ConfigurationError: It would not, or there is none.
    """
    try:
        asked = subprocess.run(
            ["sbatch", "--test-only"], input=script, capture_output=True, text=True, timeout=_SLURM_SECONDS, check=False
        )
    except FileNotFoundError:
        reason = "there is no command `sbatch` on this machine"
    except subprocess.TimeoutExpired:
        reason = f"`sbatch` does not answer within {_SLURM_SECONDS:.0f} seconds"
    else:
        if asked.returncode == 0:
            return
        reason = " ".join(asked.stderr.split()) or f"`sbatch` ends with exit code {asked.returncode}"
    message = f"Key `executor` asks for jobs of a SLURM queue, but they cannot be had: {reason}."
    raise ConfigurationError(message, key="executor")


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
