"""More processes for a study: on this machine, or as tasks of a Dask cluster."""

import os
import subprocess
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from nmr_platform.errors import NmrPlatformError
from nmr_platform.processes import end_process

__all__ = ["WorkerError", "WorkerWarning", "helping_processes", "helping_tasks"]


class WorkerError(NmrPlatformError):
    """There is no cluster to send workers to."""


class WorkerWarning(UserWarning):
    """A worker did not work to the end; the others did its trials."""


@contextmanager
def helping_processes(
    command: Sequence[str], number: int, environment: Mapping[str, str] | None = None
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Run ``number`` processes of ``command`` beside the block, and wait for them at its end.

    They are new interpreters rather than forks, which compiled kernels would not survive. A process that dies takes
    nobody with it: its trial is tried again by another, and a `WorkerWarning` tells of it. If the block fails, they are
    ended.

    Args:
        command: Arguments of `python`, for instance ``["-m", "nmr_platform", ...]``.
        number: How many processes.
        environment: Variables to set for them beside those of this process.
    """
    processes = [
        subprocess.Popen([sys.executable, *command], env={**os.environ, **(environment or {})}, start_new_session=True)
        for _ in range(number)
    ]
    try:
        yield processes
    except BaseException:
        for process in processes:
            # A trial in progress is given back to the study.
            end_process(process)
        raise
    _tell_of_failures([process.wait() for process in processes])


def _tell_of_failures(codes: Sequence[int]) -> None:
    failed = [code for code in codes if code]
    if failed:
        message = (
            f"{len(failed)} of {len(codes)} helping workers ended with exit code {failed[0]}; the trials were run by "
            f"the others. What went wrong stands in the output of the workers."
        )
        warnings.warn(message, WorkerWarning, stacklevel=4)


def run_command(command: Sequence[str], environment: Mapping[str, str], folder: str) -> int:
    """Run ``python`` with ``command`` and return its exit code; this is what a Dask task does.

    Args:
        command: As in `helping_processes`.
        environment: Variables to set for it beside those of this process.
        folder: Its working directory.
    """
    # In a process of its own: a worker of Dask is a thread of a process that others use too.
    return subprocess.run(
        [sys.executable, *command], env={**os.environ, **environment}, cwd=folder, check=False
    ).returncode


@contextmanager
def helping_tasks(
    address: str, command: Sequence[str], number: int, environment: Mapping[str, str], folder: str
) -> Iterator[None]:
    """Run ``number`` tasks of ``command`` on a Dask cluster beside the block, and wait for them at its end.

    A task that fails takes nobody with it, and a `WorkerWarning` tells of it.

    Args:
        address: Of the scheduler, for instance tcp://host:8786.
        command: As in `helping_processes`.
        number: How many tasks.
        environment: Variables to set for them: other machines need to be told where the study is.
        folder: Working directory on the workers, which must see the same files.

    Raises:
        WorkerError: No scheduler answers at the address.
    """
    from distributed import Client  # noqa: PLC0415

    try:
        client = Client(address)
    except (OSError, ValueError) as error:
        message = (
            f"Argument `scheduler` must be the address of a running Dask scheduler, but {address} is not: {error}."
        )
        raise WorkerError(message) from error
    with client:
        futures = [
            client.submit(run_command, list(command), dict(environment), folder, pure=False) for _ in range(number)
        ]
        try:
            yield
        except BaseException:
            client.cancel(futures)
            raise
        _tell_of_failures(client.gather(futures))
