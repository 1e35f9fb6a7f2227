"""More processes for a study: on this machine, or as tasks of a Dask cluster."""

import os
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nmr_platform.errors import NmrPlatformError
from nmr_platform.processes import end_process, start_kept

__all__ = ["WorkerError", "WorkerWarning", "helping_processes", "helping_tasks"]

_POLL_SECONDS = 0.5
# A task whose worker died is given to another in this time, if there is one.
_UNCLAIMED_SECONDS = 10.0
_LOST = "were lost with their Dask worker, or never had one"


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
    nobody with it: its trial is tried again by another, and a `WorkerWarning` tells of it. If the block fails, or this
    process is killed, they are ended.

    Args:
        command: Arguments of `python`, for instance ``["-m", "nmr_platform", ...]``.
        number: How many processes.
        environment: Variables to set for them beside those of this process.
    """
    told = {**os.environ, **(environment or {})}
    processes = [start_kept([sys.executable, *command], told) for _ in range(number)]
    try:
        yield processes
        fates = [_fate(process.wait()) for process in processes]
    finally:
        # A trial in progress is given back to the study.
        for process in processes:
            end_process(process)
    _tell_of_failures(fates)


def _fate(code: int) -> str:
    return f"ended with exit code {code}" if code else ""


def _tell_of_failures(fates: Sequence[str]) -> None:
    """Warn of the workers whose fate is not empty."""
    failed = [fate for fate in fates if fate]
    if failed:
        message = (
            f"{len(failed)} of {len(fates)} helping workers {failed[0]}; the trials were run by the others. "
            "What went wrong stands in the output of the workers."
        )
        warnings.warn(message, WorkerWarning, stacklevel=4)


def run_command(command: Sequence[str], environment: Mapping[str, str], folder: str) -> str:
    """Run ``python`` with ``command`` as a Dask task does; return what became of it, empty if all went well.

    It ends with the worker, and with the process that asked for it.

    Args:
        command: As in `helping_processes`.
        environment: Variables to set for it beside those of this process.
        folder: Its working directory.
    """
    from distributed import get_worker  # noqa: PLC0415

    if not Path(folder).is_dir():
        return f"found no folder `{folder}` on {socket.gethostname()}, which must see the files of the project"
    worker = get_worker()
    key = worker.get_current_task()
    # In a process of its own: a worker of Dask is a thread of a process that others use too.
    process = start_kept([sys.executable, *command], {**os.environ, **environment}, folder)
    try:
        while (code := process.poll()) is None:
            time.sleep(_POLL_SECONDS)
            task = worker.state.tasks.get(key)
            if task is None or task.state == "cancelled":
                return ""
    finally:
        end_process(process)
    return _fate(code)


@contextmanager
def helping_tasks(
    address: str, command: Sequence[str], number: int, environment: Mapping[str, str], folder: str
) -> Iterator[None]:
    """Run ``number`` tasks of ``command`` on a Dask cluster beside the block, and wait for them at its end.

    A task that fails takes nobody with it, and a `WorkerWarning` tells of it. One that no worker runs when the block
    ends is not waited for, and those that run end with this process.

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
            fates = [_awaited(client, future) for future in futures]
        finally:
            client.cancel(futures)
    _tell_of_failures(fates)


def _awaited(client: Any, future: Any) -> str:
    """What became of a task, as soon as it is over or nobody has taken it up for a while."""
    claimed = time.monotonic()
    while not future.done():
        try:
            running = {key for keys in client.processing().values() for key in keys}
        except (OSError, ValueError):
            return "were lost with their Dask scheduler"
        if future.key in running:
            claimed = time.monotonic()
        elif time.monotonic() - claimed > _UNCLAIMED_SECONDS:
            return _LOST
        time.sleep(_POLL_SECONDS)
    if future.status == "finished":
        return str(future.result())
    error = future.exception() if future.status == "error" else None
    reason = " ".join(str(error).split()) or type(error).__name__
    return _LOST if error is None else f"failed with {reason}"
