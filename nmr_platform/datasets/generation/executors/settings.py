"""The `executor` part of params.yaml."""

from typing import Annotated, Literal

import yaml
from pydantic import Field, PositiveInt

from nmr_platform.errors import ConfigurationError
from nmr_platform.schema import Schema, validate

__all__ = ["DaskSettings", "ExecutorSettings", "SlurmSettings", "ThreadsSettings", "parse_executor"]

_Lines = Annotated[tuple[str, ...], Field(strict=False)]


class ThreadsSettings(Schema):
    """Threads of this process.

    Attributes:
        n: Curves simulated at the same time; null for one a core.
    """

    kind: Literal["threads"] = "threads"
    n: PositiveInt | None = None


class DaskSettings(Schema):
    """A Dask cluster.

    Attributes:
        address: Of the scheduler, for instance tcp://host:8786; null for worker processes on this machine.
        workers: Processes on this machine, if ``address`` is null; null for one a core.
    """

    kind: Literal["dask"]
    address: str | None = None
    workers: PositiveInt | None = None


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
    jobs: PositiveInt = 1
    cores: PositiveInt = 1
    processes: PositiveInt = 1
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
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        message = f"Argument `executor` must be YAML, for instance {{kind: dask, workers: 4}}, but is {text!r}."
        raise ConfigurationError(message, key="executor", value=text) from error
    return validate(_Holder, {"executor": values}).executor
