"""Which process is which, whether it lives, and how one that we started is ended."""

import os
import resource
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import psutil

__all__ = ["end_process", "is_alive", "peak_memory", "start_kept", "this_process"]

# How far two readings of one process's start may lie apart, for clocks are set; numbers are not used again as soon.
_SLACK_SECONDS = 5.0
# Enough to say good-bye.
_GRACE_SECONDS = 30.0


def this_process() -> str:
    """Name of this process among those of all machines and times: host, number and start (seconds since the epoch)."""
    return f"{socket.gethostname()}:{os.getpid()}:{_start_of(os.getpid())}"


def peak_memory() -> float:
    """The most memory that this process has had so far, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e6 / 1024)


@cache
def _start_of(number: int) -> str:
    return f"{psutil.Process(number).create_time():.2f}"


def is_alive(name: str) -> bool | None:
    """Whether the process of a name that `this_process` gave lives; None if it is on a machine that we cannot ask.

    A process of the same number that started at another time is another one, and one that has ended but was not waited
    for by its parent does not live.
    """
    host, number, start = name.rsplit(":", 2)
    if host != socket.gethostname():
        return None
    try:
        process = psutil.Process(int(number))
        is_same = abs(process.create_time() - float(start)) < _SLACK_SECONDS
        return is_same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.AccessDenied:
        return True
    except (psutil.NoSuchProcess, ValueError):
        return False


def start_kept(
    command: Sequence[str],
    environment: Mapping[str, str] | None = None,
    folder: str | None = None,
    grace: float = _GRACE_SECONDS,
    errors: int | None = None,
) -> subprocess.Popen[bytes]:
    """Start a process that ends, with all that it starts, at the latest when this one does, however that happens.

    It is a session of its own, so that Ctrl-C is heard by this process alone, which ends it by `end_process`.

    Args:
        command: What to run, and its arguments.
        environment: Its environment; that of this process by default.
        folder: Its working directory; that of this process by default.
        grace: Seconds after which it is killed if it does not end when it is asked to.
        errors: Where its standard error goes, as `subprocess.Popen` takes it; by default where this process's goes.
    """
    keeping = [sys.executable, "-I", str(Path(__file__).with_name("keeper.py")), str(grace)]
    return subprocess.Popen(
        [*keeping, *command],
        stdin=subprocess.PIPE,
        stderr=errors,
        env=environment,
        cwd=folder,
        start_new_session=True,
    )


def end_process(process: subprocess.Popen[bytes]) -> None:
    """End a process that `start_kept` started: it is asked to, and killed in the end."""
    if process.stdin is not None:
        process.stdin.close()
    process.wait()
