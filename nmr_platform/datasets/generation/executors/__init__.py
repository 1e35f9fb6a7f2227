"""Who makes the shards: threads of this process, a Dask cluster, or the jobs of a SLURM queue. Same bits from all."""

from nmr_platform.datasets.generation.executors.base import Executor
from nmr_platform.datasets.generation.executors.cluster import DaskExecutor, SlurmExecutor
from nmr_platform.datasets.generation.executors.settings import (
    DaskSettings,
    ExecutorSettings,
    SlurmSettings,
    ThreadsSettings,
    parse_executor,
)
from nmr_platform.datasets.generation.executors.threads import ThreadsExecutor

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
]


def make_executor(settings: ExecutorSettings | None = None) -> Executor:
    """The executor that ``settings`` ask for; threads by default."""
    match settings:
        case DaskSettings():
            return DaskExecutor(settings)
        case SlurmSettings():
            return SlurmExecutor(settings)
    return ThreadsExecutor(settings.n if settings else None)
